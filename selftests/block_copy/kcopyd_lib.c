// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>

#include "kcopyd.h"

#define AWAIT_MS	60000

int kc_open(struct kc *kc)
{
	int ret = bc_open(&kc->a, "COPY_DEV");

	memset(&kc->stack, 0, sizeof(kc->stack));
	kc->stack.top.fd = -1;
	kc->stack.top.bfd = -1;
	if (!ret)
		ret = bc_need_copy(&kc->a);
	if (!ret && bc_win_init_zero(&kc->win, &kc->a, KC_BASE, KC_LEN)) {
		bc_set_reason("%s has no room for the test", kc->a.path);
		ret = -1;
	}
	/* What an earlier test has left behind is in the way. */
	if (!ret)
		bc_stack_sweep();
	return ret;
}

int kc_close(struct kc *kc)
{
	int ret;

	kc->stack.top.fd = -1;
	kc->stack.top.bfd = -1;
	ret = bc_stack_remove(&kc->stack);
	kc_param("kcopyd_copy_offload", "Y");
	kc_param("kcopyd_copy_offload_min_kb", "0");
	bc_win_free(&kc->win);
	bc_close(&kc->a);
	return ret;
}

int kc_fill(struct kc *kc, __u64 off, __u64 len)
{
	return bc_win_write(&kc->win, kc->a.fd, KC_BASE + off, len);
}

int kc_zero(struct kc *kc, __u64 off, __u64 len)
{
	char *buf = bc_alloc(len);
	ssize_t ret;

	memset(buf, 0, len);
	ret = pwrite(kc->a.fd, buf, len, KC_BASE + off);
	free(buf);
	return ret == (ssize_t)len ? 0 : -1;
}

void kc_copied(struct kc *kc, __u64 dst, __u64 src, __u64 len)
{
	struct blk_copy_extent ext = { KC_BASE + src, len };

	bc_win_copied(&kc->win, KC_BASE + dst, &kc->win, &ext, 1, len);
}

int kc_check(struct kc *kc, __u64 off, __u64 len)
{
	return bc_win_check_range(&kc->win, kc->a.fd, KC_BASE + off, len);
}

int kc_expect(struct kc *kc, __u64 bytes, __u64 read, __u64 written)
{
	struct bc_counts c;

	if (!bc_have_witness())
		return 0;
	if (bc_count(&c))
		return -1;
	if (c.blocks * kc->a.lbs >= bytes && c.blocks * kc->a.lbs <= 2 * bytes &&
	    c.read_bytes <= read && c.write_bytes <= written)
		return 0;
	bc_log("the drive copied %llu bytes in %llu commands, must be %llu; read %llu, at most %llu; wrote %llu, at most %llu",
	       c.blocks * kc->a.lbs, c.copies, bytes, c.read_bytes, read, c.write_bytes, written);
	return -1;
}

int kc_expect_none(struct kc *kc, __u64 bytes)
{
	struct bc_counts c;

	(void)kc;
	if (!bc_have_witness())
		return 0;
	if (bc_count(&c))
		return -1;
	if (!c.copies && c.read_bytes >= bytes && c.write_bytes >= bytes)
		return 0;
	bc_log("the drive saw %llu copies, read %llu bytes and wrote %llu, must be none and at least %llu",
	       c.copies, c.read_bytes, c.write_bytes, bytes);
	return -1;
}

int kc_add(struct kc *kc, const char *fmt, ...)
{
	char table[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(table, sizeof(table), fmt, args);
	va_end(args);
	return bc_stack_add(&kc->stack, table, &kc->a, NULL);
}

int kc_await_ratio(struct kc *kc, unsigned int dm, unsigned int nth)
{
	__u64 end = bc_now_ms() + AWAIT_MS;
	unsigned long long have = 0, want = 1;
	char line[512], *word, *save;
	unsigned int i;

	do {
		if (bc_dm_status_line(&kc->stack.dm[dm], line, sizeof(line))) {
			bc_log("no status");
			return -1;
		}
		for (i = 0, word = strtok_r(line, " ", &save); word;
		     word = strtok_r(NULL, " ", &save)) {
			if (sscanf(word, "%llu/%llu", &have, &want) == 2 && i++ == nth &&
			    have == want)
				return 0;
		}
		usleep(5000);
	} while (bc_now_ms() < end);
	bc_log("the status stays at %llu/%llu", have, want);
	return -1;
}

int kc_param(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/dm_mod/parameters/%s", name);
	return bc_write_file(path, value);
}

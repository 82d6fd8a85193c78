// SPDX-License-Identifier: GPL-2.0
/*
 * What dm-kcopyd costs with and without copy offload, in one boot:
 *
 *   kcopyd_cost [MIB]
 *
 * A mirror leg that is brought up to date (what pvmove does) and the hydration of
 * a clone, of so many MiB (256), and writes to an origin that has a snapshot. Each
 * line is an object of JSON. Needs a drive that copies, COPY_DEV.
 */
#include <sys/time.h>

#include "kcopyd.h"

#define ROUNDS		3
#define COW_WRITES	128

struct cost {
	struct bc_counts c;
	double ms, busy_ms;
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* How long all CPUs together have been idle since boot: the kernel integrates it. */
static double idle_ms(void)
{
	unsigned long long idle = 0, iowait = 0;
	FILE *f = fopen("/proc/stat", "r");

	if (f && fscanf(f, "cpu %*u %*u %*u %llu %llu", &idle, &iowait) != 2)
		idle = 0;
	if (f)
		fclose(f);
	return (idle + iowait) * 1e3 / sysconf(_SC_CLK_TCK);
}

static struct cost before;

static int start(void)
{
	before.busy_ms = idle_ms();
	before.ms = now_ms();
	return bc_mark();
}

static int stop(struct cost *cost)
{
	cost->ms = now_ms() - before.ms;
	cost->busy_ms = cost->ms * sysconf(_SC_NPROCESSORS_ONLN) - (idle_ms() - before.busy_ms);
	return bc_have_witness() ? bc_count(&cost->c) : 0;
}

static void print(const char *what, __u64 chunk_kib, bool on, const struct cost *cost,
		  const double *took, unsigned int nr)
{
	printf("{\"what\":\"%s\",\"chunk_kib\":%llu,\"offload\":%s,\"ms\":%.0f,\"busy_ms\":%.0f,\"commands\":%llu,\"copies\":%llu,\"host_bytes\":%llu",
	       what, chunk_kib, on ? "true" : "false", cost->ms, cost->busy_ms,
	       cost->c.copies + cost->c.reads + cost->c.writes + cost->c.flushes, cost->c.copies,
	       cost->c.read_bytes + cost->c.write_bytes);
	if (nr)
		printf(",\"p10_us\":%.0f,\"median_us\":%.0f,\"p90_us\":%.0f", took[nr / 10],
		       took[nr / 2], took[nr * 9 / 10]);
	printf("}\n");
	fflush(stdout);
}

static int mirror(struct kc *kc, __u64 len, bool on)
{
	struct cost cost = { 0 };
	int ret = start() ?:
		  kc_add(kc, "0 %llu mirror core 1 1024 2 %%a %llu %%a %llu\n", len / BC_SECTOR,
			 kc_at(0), kc_at(len)) ?:
		  kc_await_ratio(kc, 0, 0) ?: stop(&cost);

	if (!ret)
		print("mirror", 512, on, &cost, NULL, 0);
	return bc_stack_remove(&kc->stack) ?: ret;
}

static int hydrate(struct kc *kc, __u64 len, bool on)
{
	struct cost cost = { 0 };
	int ret = kc_zero(kc, 2 * len, BC_MIB) ?:
		  kc_add(kc, "0 %llu linear %%a %llu\n", len / BC_SECTOR, kc_at(0)) ?:
		  kc_add(kc, "0 %llu linear %%a %llu\n", len / BC_SECTOR, kc_at(len)) ?:
		  kc_add(kc, "0 8192 linear %%a %llu\n", kc_at(2 * len)) ?:
		  kc_add(kc, "0 %llu clone %%2 %%1 %%0 128 1 no_hydration 4 hydration_threshold 64 hydration_batch_size 16\n",
			 len / BC_SECTOR) ?:
		  start() ?: -bc_dm_message(&kc->stack.dm[3], "enable_hydration") ?:
		  kc_await_ratio(kc, 3, 1) ?: stop(&cost);

	if (!ret)
		print("clone", 64, on, &cost, NULL, 0);
	return bc_stack_remove(&kc->stack) ?: ret;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Each write is the first to a chunk, which is copied to the snapshot before. */
static int cow(struct kc *kc, __u64 chunk_kib, bool on)
{
	__u64 chunk = chunk_kib * BC_KIB, len = COW_WRITES * chunk, i;
	double took[COW_WRITES], begin;
	struct bc_dev origin = { .fd = -1, .bfd = -1 };
	struct cost cost = { 0 };
	char *buf = bc_alloc(4096);
	int ret;

	memset(buf, 7, 4096);
	ret = kc_add(kc, "0 %llu linear %%a %llu\n", len / BC_SECTOR, kc_at(0)) ?:
	      kc_add(kc, "0 %llu linear %%a %llu\n", (2 * len + 4 * BC_MIB) / BC_SECTOR,
		     kc_at(len)) ?:
	      kc_add(kc, "0 %llu snapshot-origin %%0\n", len / BC_SECTOR) ?:
	      /* Not persistent: nothing but the copy is measured. */
	      kc_add(kc, "0 %llu snapshot %%0 %%1 N %llu\n", len / BC_SECTOR, chunk / BC_SECTOR) ?:
	      bc_open_path(&origin, kc->stack.dm[2].path) ?: start();
	for (i = 0; i < COW_WRITES && !ret; i++) {
		begin = now_ms();
		if (pwrite(origin.fd, buf, 4096, i * chunk) != 4096)
			ret = -1;
		took[i] = (now_ms() - begin) * 1e3;
	}
	ret = ret ?: stop(&cost);
	bc_close(&origin);
	free(buf);
	if (!ret) {
		qsort(took, COW_WRITES, sizeof(*took), by_size);
		print("snapshot", chunk_kib, on, &cost, took, COW_WRITES);
	}
	return bc_stack_remove(&kc->stack) ?: ret;
}

int main(int argc, char **argv)
{
	static const __u64 chunks[] = { 4, 8, 16, 32, 64, 512 };
	__u64 len = (argc > 1 ? strtoull(argv[1], NULL, 0) : 256) * BC_MIB;
	struct kc kc = { 0 };
	unsigned int round, i;
	int ret = kc_open(&kc);
	__u64 most;

	if (ret) {
		fprintf(stderr, "%s\n", bc_reason());
		return ret > 0 ? 4 : 1;
	}
	most = kc.a.lim.max_bytes;
	bc_win_free(&kc.win);
	ret = bc_win_init_zero(&kc.win, &kc.a, KC_BASE, 2 * len + 8 * BC_MIB) ?:
	      bc_win_write(&kc.win, kc.a.fd, KC_BASE, len);
	/* Turn by turn, and the first round isn't worse off than the others. */
	for (round = 0; round < 2 * ROUNDS && !ret; round++) {
		bool on = round & 1;

		ret = bc_queue_write(&kc.a, "copy_max_bytes", on ? most : 0) ?:
		      mirror(&kc, len, on) ?: hydrate(&kc, len, on);
		for (i = 0; i < sizeof(chunks) / sizeof(*chunks) && !ret; i++)
			ret = cow(&kc, chunks[i], on);
	}
	bc_queue_write(&kc.a, "copy_max_bytes", most);
	if (ret)
		fprintf(stderr, "not measured: %s\n", bc_reason());
	return kc_close(&kc) || ret ? 1 : 0;
}

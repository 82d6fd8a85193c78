// SPDX-License-Identifier: GPL-2.0
/* What a part of a device must hold, sector by sector. */
#include "blkcopy_lib.h"

#define CHUNK	(2 * BC_MIB)
#define MAX_COMPLAINTS	4

void *bc_alloc(size_t len)
{
	void *p;

	if (posix_memalign(&p, 4096, len)) {
		bc_log("out of memory for %zu bytes", len);
		abort();
	}
	return p;
}

static __u64 *tags_at(const struct bc_win *w, __u64 off)
{
	if (off < w->base || off > w->base + w->len || off % BC_SECTOR) {
		bc_log("offset %llu is not inside the window at %llu, %llu bytes",
		       off, w->base, w->len);
		abort();
	}
	return w->tag + (off - w->base) / BC_SECTOR;
}

static int io_full(int fd, void *buf, __u64 len, __u64 off, bool out)
{
	while (len) {
		ssize_t n = out ? pwrite(fd, buf, len, off) : pread(fd, buf, len, off);

		if (n <= 0) {
			bc_log("%s of %llu bytes at %llu failed: %s", out ? "write" : "read",
			       len, off, n ? strerror(errno) : "end of device");
			return -1;
		}
		buf = (char *)buf + n;
		len -= n;
		off += n;
	}
	return 0;
}

void bc_win_generate(struct bc_win *w, void *buf, __u64 off, __u64 len)
{
	__u64 gen = bc_new_gen();
	__u64 *tag = tags_at(w, off);
	__u64 i;

	for (i = 0; i < len / BC_SECTOR; i++) {
		tag[i] = bc_tag(gen, off / BC_SECTOR + i);
		if (w->alt)
			w->alt[tag - w->tag + i] = BC_NO_ALT;
		bc_sector_fill((char *)buf + i * BC_SECTOR, tag[i]);
	}
}

int bc_win_write(struct bc_win *w, int fd, __u64 off, __u64 len)
{
	char *buf = bc_alloc(CHUNK);
	int ret = 0;

	while (len && !ret) {
		__u64 n = len < CHUNK ? len : CHUNK;

		bc_win_generate(w, buf, off, n);
		ret = io_full(fd, buf, n, off, true);
		off += n;
		len -= n;
	}
	free(buf);
	return ret;
}

int bc_win_init_zero(struct bc_win *w, struct bc_dev *dev, __u64 base, __u64 len)
{
	memset(w, 0, sizeof(*w));
	if (base + len > dev->size || base % dev->lbs || len % dev->lbs) {
		bc_log("%s is too small (%llu bytes) for a window at %llu, %llu bytes",
		       dev->path, dev->size, base, len);
		return -1;
	}
	w->dev = dev;
	w->base = base;
	w->len = len;
	w->tag = calloc(len / BC_SECTOR, sizeof(*w->tag));
	if (!w->tag)
		return -1;
	bc_log("%s: seed 0x%llx, window at %llu, %llu bytes", dev->path, bc_seed, base, len);
	return 0;
}

int bc_win_init(struct bc_win *w, struct bc_dev *dev, __u64 base, __u64 len)
{
	return bc_win_init_zero(w, dev, base, len) ?: bc_win_write(w, dev->fd, base, len);
}

void bc_win_free(struct bc_win *w)
{
	free(w->tag);
	free(w->alt);
	memset(w, 0, sizeof(*w));
}

void bc_win_copied(struct bc_win *dst, __u64 dst_off, const struct bc_win *src,
		   const struct blk_copy_extent *ext, __u32 nr, __u64 limit)
{
	__u64 *to = tags_at(dst, dst_off);
	__u32 i;

	for (i = 0; i < nr && limit; i++) {
		__u64 len = ext[i].length < limit ? ext[i].length : limit;

		tags_at(src, ext[i].offset + len);
		tags_at(dst, dst_off + len);
		memmove(to, tags_at(src, ext[i].offset), len / BC_SECTOR * sizeof(*to));
		to += len / BC_SECTOR;
		dst_off += len;
		limit -= len;
	}
}

int bc_win_partly_copied(struct bc_win *dst, __u64 dst_off, const struct bc_win *src,
			 const struct blk_copy_extent *ext, __u32 nr, __u64 sure)
{
	__u64 nr_sectors = dst->len / BC_SECTOR;
	__u64 begin = (dst_off - dst->base) / BC_SECTOR, end = begin + sure / BC_SECTOR;
	__u64 *old, i;

	old = malloc(nr_sectors * sizeof(*old));
	if (!old)
		return -1;
	memcpy(old, dst->tag, nr_sectors * sizeof(*old));
	bc_win_copied(dst, dst_off, src, ext, nr, ~0ULL);
	/* Surely copied sectors have nothing to fall back to; of others it isn't news. */
	for (i = 0; i < nr_sectors; i++)
		if (i >= begin && i < end)
			old[i] = BC_NO_ALT;
		else if (old[i] == dst->tag[i])
			old[i] = dst->alt ? dst->alt[i] : BC_NO_ALT;
	free(dst->alt);
	dst->alt = old;
	return 0;
}

int bc_check_buf(const struct bc_win *w, const void *buf, __u64 off, __u64 len)
{
	const __u64 *tag = tags_at(w, off);
	__u64 wrong = 0, i;
	char name[96];

	for (i = 0; i < len / BC_SECTOR; i++) {
		const char *sector = (const char *)buf + i * BC_SECTOR;
		const __u64 *alt = w->alt ? w->alt + (tag - w->tag) + i : NULL;

		if (bc_sector_is(sector, tag[i]) ||
		    (alt && *alt != BC_NO_ALT && bc_sector_is(sector, *alt)))
			continue;
		if (wrong++ < MAX_COMPLAINTS)
			bc_log("%s: sector %llu must hold generation %llu of sector %llu, holds %s",
			       w->dev->path, off / BC_SECTOR + i, tag[i] >> BC_TAG_POS_BITS,
			       tag[i] & ((1ULL << BC_TAG_POS_BITS) - 1),
			       bc_sector_name(sector, name, sizeof(name)));
	}
	if (wrong)
		bc_log("%s: %llu of %llu sectors at sector %llu are wrong (COPY_SEED=0x%llx)",
		       w->dev->path, wrong, len / BC_SECTOR, off / BC_SECTOR, bc_seed);
	return wrong ? -1 : 0;
}

int bc_win_check_range(const struct bc_win *w, int fd, __u64 off, __u64 len)
{
	char *buf = bc_alloc(CHUNK);
	int ret = 0;

	while (len && !ret) {
		__u64 n = len < CHUNK ? len : CHUNK;

		ret = io_full(fd, buf, n, off, false) ?: bc_check_buf(w, buf, off, n);
		off += n;
		len -= n;
	}
	free(buf);
	return ret;
}

int bc_win_check_fd(const struct bc_win *w, int fd)
{
	return bc_win_check_range(w, fd, w->base, w->len);
}

int bc_win_check(const struct bc_win *w)
{
	return bc_win_check_fd(w, w->dev->fd);
}

int bc_win_settle(struct bc_win *w)
{
	const __u64 most = 64 * BC_KIB;
	__u64 i, have = ~0ULL;	/* of the window, what is in the buffer */
	int ret = 0;
	char *buf;

	if (!w->alt)
		return 0;
	buf = bc_alloc(most);
	for (i = 0; i < w->len / BC_SECTOR && !ret; i++) {
		__u64 off = i * BC_SECTOR, from = off - off % most;

		if (w->alt[i] == BC_NO_ALT)
			continue;
		if (have != from)
			ret = io_full(w->dev->fd, buf, w->len - from < most ? w->len - from : most,
				      w->base + from, false);
		have = from;
		if (!ret && bc_sector_is(buf + off - from, w->alt[i]))
			w->tag[i] = w->alt[i];
		w->alt[i] = BC_NO_ALT;
	}
	free(buf);
	free(w->alt);
	w->alt = NULL;
	return ret ?: bc_win_check(w);
}

int bc_win_end(struct bc_win *w)
{
	int ret = w->tag ? bc_win_check(w) : 0;

	bc_win_free(w);
	return ret;
}

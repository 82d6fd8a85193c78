// SPDX-License-Identifier: GPL-2.0
/* BLKCOPY's argument as an io_uring command. */
#include "ring.h"

void bc_uring_prep(struct io_uring_sqe *sqe, int dst_fd, const struct blk_copy_arg *arg,
		   __u64 user_data)
{
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, dst_fd, arg, 0, 0);
	sqe->cmd_op = BLOCK_URING_CMD_COPY;
	sqe->user_data = user_data;
}

/* Takes the first @done bytes off what is to be copied. */
static void consume(struct blk_copy_arg *arg, struct blk_copy_extent *ext, __u64 done)
{
	arg->dst_offset += done;
	while (arg->nr_extents && done >= ext->length) {
		done -= ext->length;
		ext++;
		arg->nr_extents--;
	}
	ext->offset += done;
	ext->length -= done;
	arg->extents = (uintptr_t)ext;
}

static int copy_once(struct io_uring *ring, int dst_fd, const struct blk_copy_arg *arg)
{
	struct io_uring_cqe *cqe;
	int ret;

	bc_uring_prep(io_uring_get_sqe(ring), dst_fd, arg, 1);
	ret = io_uring_submit(ring);
	if (ret != 1)
		return ret < 0 ? ret : -EBADMSG;
	do
		ret = io_uring_wait_cqe(ring, &cqe);
	while (ret == -EINTR);
	if (ret)
		return ret;
	ret = cqe->user_data == 1 ? cqe->res : -EBADMSG;
	io_uring_cqe_seen(ring, cqe);
	return ret;
}

struct bc_result bc_copy_uring(int dst_fd, __u64 dst, int src_fd,
			       const struct blk_copy_extent *ext, __u32 nr)
{
	struct blk_copy_arg arg = bc_copy_arg(dst, src_fd, ext, nr);
	__u64 total = nr <= BLKCOPY_MAX_EXTENTS ? bc_total(ext, nr) : 0;
	struct bc_result r = { 0 };
	struct blk_copy_extent *left = NULL;
	struct io_uring ring;
	int ret;

	ret = io_uring_queue_init(4, &ring, 0);
	if (ret) {
		bc_log("no io_uring: %s", strerror(-ret));
		return (struct bc_result){ .err = -ret };
	}
	while (true) {
		ret = copy_once(&ring, dst_fd, &arg);
		if (ret <= 0 || r.copied + ret >= total)
			break;
		r.copied += ret;
		/* short: the rest as a copy of its own, of extents that may be changed */
		if (!left) {
			left = malloc(nr * sizeof(*ext));
			memcpy(left, ext, nr * sizeof(*ext));
			arg.extents = (uintptr_t)left;
		}
		consume(&arg, (void *)(uintptr_t)arg.extents, ret);
	}
	if (ret > 0)
		r.copied += ret;
	else
		r.err = ret ? -ret : EBADMSG;
	free(left);
	io_uring_queue_exit(&ring);
	return r;
}

int bc_wait_for_idle(const struct bc_dev *dev)
{
	char path[128], line[64] = "";
	int tries, idle = 0;

	snprintf(path, sizeof(path), "/sys/block/%s/inflight", dev->disk);
	for (tries = 0; tries < 600 && idle < 5; tries++) {
		unsigned int reads = 1, writes = 1;
		FILE *file = fopen(path, "r");

		if (file && fgets(line, sizeof(line), file))
			sscanf(line, "%u %u", &reads, &writes);
		if (file)
			fclose(file);
		idle = reads || writes ? 0 : idle + 1;
		usleep(50000);
	}
	if (idle < 5)
		bc_log("still in flight after 30 s: %s", line);
	return idle < 5 ? -1 : 0;
}

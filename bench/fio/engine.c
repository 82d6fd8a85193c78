// SPDX-License-Identifier: GPL-2.0-only
/*
 * An engine for fio whose writes are copies. fio's side of it; the other one is behind mover.h.
 * README.md says what the options mean.
 */
#include "config-host.h"

#include "fio.h"
#include "lib/mountcheck.h"
#include "optgroup.h"
#include "verify.h"

#include "mover.h"

#define SENTENCE 512

struct options {
	void *pad; /* fio takes an option at offset 0 for one that stores nothing */
	char *dest_filename;
	unsigned long long dest_offset;
	unsigned long long dest_offset_delta;
	unsigned long long dest_offset_increment;
	unsigned int has_offset;
	unsigned int has_delta;
	unsigned int extents;
	unsigned int mode;
};

struct engine {
	struct mover *mover;
	bool complained;
};

/* 0 is a good offset, so a value says by itself whether it was set. */
static int set_dest_offset(void *data, unsigned long long *value)
{
	struct options *o = data;

	o->dest_offset = *value;
	o->has_offset = 1;
	return 0;
}

static int set_dest_offset_delta(void *data, unsigned long long *value)
{
	struct options *o = data;

	o->dest_offset_delta = *value;
	o->has_delta = 1;
	return 0;
}

static struct fio_option options[] = {
	{
		.name = "mode",
		.lname = "How to copy",
		.type = FIO_OPT_STR,
		.off1 = offsetof(struct options, mode),
		.help = "How to copy",
		.def = "offload",
		.posval = {
			{ .ival = "offload", .oval = MOVER_OFFLOAD,
			  .help = "BLKCOPY through io_uring, else by ioctl" },
			{ .ival = "ioctl", .oval = MOVER_IOCTL, .help = "ioctl(BLKCOPY)" },
			{ .ival = "copy_file_range", .oval = MOVER_COPY_FILE_RANGE,
			  .help = "copy_file_range(2)" },
			{ .ival = "readwrite", .oval = MOVER_READWRITE,
			  .help = "Reads and writes through io_uring" },
			{ .ival = "passthrough", .oval = MOVER_PASSTHROUGH,
			  .help = "NVMe Copy, past the block layer" },
			{ .ival = "fill", .oval = MOVER_FILL,
			  .help = "No copy: write the sources, and zeroes to the destination" },
		},
		.category = FIO_OPT_C_ENGINE,
		.group = FIO_OPT_G_INVALID,
	},
	{
		.name = "dest_filename",
		.lname = "Destination",
		.type = FIO_OPT_STR_STORE,
		.off1 = offsetof(struct options, dest_filename),
		.help = "Device to copy to; filename if it isn't set",
		.category = FIO_OPT_C_ENGINE,
		.group = FIO_OPT_G_INVALID,
	},
	{
		.name = "dest_offset",
		.lname = "Destination offset",
		.type = FIO_OPT_STR_VAL,
		.cb = set_dest_offset,
		.off1 = offsetof(struct options, dest_offset),
		.help = "Where the copy of the job's first byte goes",
		.category = FIO_OPT_C_ENGINE,
		.group = FIO_OPT_G_INVALID,
	},
	{
		.name = "dest_offset_delta",
		.lname = "Destination offset delta",
		.type = FIO_OPT_STR_VAL,
		.cb = set_dest_offset_delta,
		.off1 = offsetof(struct options, dest_offset_delta),
		.help = "How far behind its source each copy goes",
		.category = FIO_OPT_C_ENGINE,
		.group = FIO_OPT_G_INVALID,
	},
	{
		.name = "dest_offset_increment",
		.lname = "Destination offset increment",
		.type = FIO_OPT_STR_VAL,
		.off1 = offsetof(struct options, dest_offset_increment),
		.help = "How far the destinations of clones of a job are from each other",
		.category = FIO_OPT_C_ENGINE,
		.group = FIO_OPT_G_INVALID,
	},
	{
		.name = "extents",
		.lname = "Sources per copy",
		.type = FIO_OPT_INT,
		.off1 = offsetof(struct options, extents),
		.help = "Scattered sources that a block is copied from",
		.def = "1",
		.minval = 1,
		.maxval = 1024,
		.category = FIO_OPT_C_ENGINE,
		.group = FIO_OPT_G_INVALID,
	},
	{
		.name = NULL,
	},
};

static int refuse(struct thread_data *td, const char *sentence)
{
	log_err("blkcopy: %s: %s\n", td->o.name, sentence);
	td_verror(td, EINVAL, "blkcopy");
	return 1;
}

/* Everything else would be read from the wrong place if fio were another one. */
static bool right_fio(const struct thread_data *td, const struct ioengine_ops *own)
{
	if (!strcmp(fio_version_string, BUILT_FOR) && td->io_ops == own && td->eo)
		return true;
	log_err("blkcopy: this engine was built for %s, and this is %s: make fio-engine\n",
		BUILT_FOR, fio_version_string);
	return false;
}

static const char *wrong_job(const struct thread_data *td, const struct options *o)
{
	if (td->o.nr_files != 1)
		return "one filename, please: that of the source";
	if (td_trim(td))
		return "nothing can be trimmed: rw=write, randwrite, read, randread or rw";
	if (o->mode == MOVER_FILL && td->o.verify != VERIFY_NONE && td->o.do_verify)
		return "mode=fill makes no copies that could be verified: do_verify=0";
	if (o->has_offset && o->has_delta)
		return "dest_offset and dest_offset_delta say the same thing: one of them is enough";
	if (o->extents > 1 && (td->o.min_bs[DDIR_WRITE] != td->o.max_bs[DDIR_WRITE] ||
			       td->o.min_bs[DDIR_READ] != td->o.max_bs[DDIR_READ] ||
			       td->o.max_bs[DDIR_READ] != td->o.max_bs[DDIR_WRITE]))
		return "several extents per copy need one block size for reads and writes";
	if (td_write(td) && !td->o.allow_mounted_write && o->dest_filename &&
	    device_is_mounted(o->dest_filename))
		return "dest_filename is mounted, and allow_mounted_write isn't set";
	return NULL;
}

static int engine_open(struct thread_data *td)
{
	const struct options *o = td->eo;
	const struct fio_file *f = td->files[0];
	char sentence[SENTENCE] = "";
	struct mover_job job = {
		.source = f->file_name,
		.destination = o->dest_filename,
		.mode = o->mode,
		.extents = o->extents,
		.source_start = f->file_offset,
		.length = f->io_size,
		.destination_start = f->file_offset + o->dest_offset_delta,
		.block = td_max_bs(td),
		.depth = td->o.iodepth,
		.direct = td->o.odirect,
		.prepare = td->o.verify != VERIFY_NONE && td->o.verify != VERIFY_NULL,
		.writes = td_write(td) && !td->o.verify_only,
	};
	struct engine *engine = td->io_ops_data;
	const char *wrong = wrong_job(td, o);

	if (wrong)
		return refuse(td, wrong);
	if (o->has_offset)
		job.destination_start = o->dest_offset;
	job.destination_start += td->subjob_number * o->dest_offset_increment;
	engine->mover = mover_open(&job, sentence, sizeof(sentence));
	if (!engine->mover)
		return refuse(td, sentence);
	if (*sentence)
		log_info("blkcopy: %s: %s\n", td->o.name, sentence);
	/* so that fio takes the time of a copy, not of the queueing of something */
	if (mover_synchronous(engine->mover))
		td->flags |= (unsigned long long)FIO_SYNCIO << TD_ENG_FLAG_SHIFT;
	return 0;
}

static void note_error(struct engine *engine, struct io_u *io_u, int error)
{
	const char *sentence = error ? mover_explain(engine->mover, error) : NULL;

	io_u->error = error;
	if (sentence && !engine->complained) {
		engine->complained = true;
		log_err("blkcopy: %s\n", sentence);
	}
}

static enum fio_q_status engine_queue(struct thread_data *td, struct io_u *io_u)
{
	struct engine *engine = td->io_ops_data;
	int ended = 1, error = EINVAL;

	fio_ro_check(td, io_u);

	if (io_u->ddir == DDIR_WRITE)
		ended = mover_copy(engine->mover, io_u, io_u->offset, io_u->xfer_buflen,
				   io_u->xfer_buf, &error);
	else if (io_u->ddir == DDIR_READ)
		ended = mover_read(engine->mover, io_u, io_u->offset, io_u->xfer_buflen,
				   io_u->xfer_buf, &error);
	else if (ddir_sync(io_u->ddir))
		error = mover_sync(engine->mover);
	if (!ended)
		return FIO_Q_QUEUED;
	note_error(engine, io_u, error);
	return FIO_Q_COMPLETED;
}

static int engine_commit(struct thread_data *td)
{
	struct engine *engine = td->io_ops_data;
	int ret = mover_submit(engine->mover);

	if (!ret && td->io_u_queued)
		io_u_mark_submit(td, td->io_u_queued);
	return ret;
}

/* There is no waiting for a limited time: @t is only ever set for jobs that want few at once. */
static int engine_getevents(struct thread_data *td, unsigned int min, unsigned int max,
			    const struct timespec *t)
{
	struct engine *engine = td->io_ops_data;

	(void)max;
	(void)t;
	return mover_wait(engine->mover, min);
}

static struct io_u *engine_event(struct thread_data *td, int event)
{
	struct engine *engine = td->io_ops_data;
	struct io_u *io_u;
	int error;

	io_u = mover_ended(engine->mover, event, &error);
	note_error(engine, io_u, error);
	return io_u;
}

static void engine_cleanup(struct thread_data *td)
{
	struct engine *engine = td->io_ops_data;

	if (!engine)
		return;
	if (engine->mover)
		mover_close(engine->mover);
	free(engine);
}

static int engine_init(struct thread_data *td);

struct ioengine_ops ioengine = {
	.name = "blkcopy",
	.version = FIO_IOOPS_VERSION,
	.flags = FIO_RAWIO,
	.init = engine_init,
	.post_init = engine_open,
	.queue = engine_queue,
	.commit = engine_commit,
	.getevents = engine_getevents,
	.event = engine_event,
	.cleanup = engine_cleanup,
	.open_file = generic_open_file,
	.close_file = generic_close_file,
	.get_file_size = generic_get_file_size,
	.options = options,
	.option_struct_size = sizeof(struct options),
};

static int engine_init(struct thread_data *td)
{
	if (!right_fio(td, &ioengine))
		return 1;
	td->io_ops_data = calloc(1, sizeof(struct engine));
	return td->io_ops_data ? 0 : 1;
}

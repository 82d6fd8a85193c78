// SPDX-License-Identifier: GPL-2.0
/* A few devices with a window each, the drive beside them, and one copy at a time. */
#include "stack.h"

int bc_set_make(struct bc_set *s, const char *const tables[BC_STACK_MOST], unsigned int first,
		unsigned int blocks)
{
	struct bc_dev *drive = &s->dev[BC_SET_DRIVE];
	unsigned int i;
	int ret;

	ret = bc_open(drive, "COPY_DEV") ?: bc_need_copy(drive) ?:
	      bc_stack_make(&s->stack, tables, drive, NULL) ?:
	      bc_stack_open(&s->stack, first, s->dev, BC_SET_DRIVE);
	for (i = 0; !ret && i < BC_SET_DRIVE; i++) {
		s->dm[i] = &s->stack.dm[first + i];
		ret = bc_win_init(&s->win[i], &s->dev[i], 0, s->dev[i].size);
	}
	if (!ret)
		ret = bc_win_init(&s->win[BC_SET_DRIVE], drive, 32 * BC_MIB, BC_MIB);
	s->lbs = drive->lbs;
	s->len = blocks * s->lbs;
	return ret;
}

int bc_set_remove(struct bc_set *s)
{
	unsigned int i;
	int bad = 0;

	for (i = 0; i < BC_SET_DEVICES; i++) {
		bad |= bc_win_end(&s->win[i]);
		if (i != BC_SET_DRIVE)
			bc_close(&s->dev[i]);
	}
	bad |= bc_stack_remove(&s->stack);
	bc_close(&s->dev[BC_SET_DRIVE]);
	return bad;
}

int bc_set_copy(struct bc_set *s, unsigned int to, unsigned int from)
{
	return bc_async_start(&s->copy, BC_IOCTL, &s->win[to], 500 * s->lbs, &s->win[from],
			      20 * s->lbs, s->len);
}

int bc_set_load(struct bc_set *s, unsigned int i, const char *text)
{
	char *table = bc_stack_table(&s->stack, text, &s->dev[BC_SET_DRIVE], NULL);
	int ret = bc_dm_load(s->dm[i], table);

	free(table);
	return ret;
}

int bc_set_move(struct bc_set *s, unsigned int i, unsigned int from, unsigned int to)
{
	ssize_t size = s->dev[i].size;
	int fd = s->dev[BC_SET_DRIVE].fd, ret = -1;
	char *buf = bc_alloc(size);

	if (pread(fd, buf, size, from * s->lbs) == size &&
	    pwrite(fd, buf, size, to * s->lbs) == size) {
		memset(buf, 0xdb, size);
		ret = pwrite(fd, buf, size, from * s->lbs) == size ? 0 : -1;
	}
	free(buf);
	return ret;
}

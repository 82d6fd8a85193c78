// SPDX-License-Identifier: GPL-2.0
/* Stacks of dm devices, from tables that name each other. */
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "stack.h"

#define NAME	"block_copy_%u"
#define TABLE_BYTES	16384

static int dev_name(const struct bc_dev *dev, char *buf, size_t len)
{
	struct stat st;

	if (!dev || fstat(dev->fd, &st))
		return -1;
	snprintf(buf, len, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	return 0;
}

char *bc_stack_table(const struct bc_stack *s, const char *table, const struct bc_dev *a,
		     const struct bc_dev *b)
{
	char *out = calloc(1, TABLE_BYTES), *to = out, *end;
	char name[32];

	if (!out)
		abort();
	while (*table && to < out + TABLE_BYTES - 64) {
		if (*table == '@') {
			__u64 blocks = strtoull(table + 1, &end, 10);

			to += sprintf(to, "%llu", blocks * a->lbs / BC_SECTOR);
			table = end;
		} else if (*table == '%') {
			unsigned int i = table[1] - '0';

			name[0] = '\0';
			if (table[1] == 'a' || table[1] == 'b')
				dev_name(table[1] == 'a' ? a : b, name, sizeof(name));
			else if (i < s->nr)
				snprintf(name, sizeof(name), "%s", s->dm[i].dev);
			if (!name[0]) {
				bc_log("there is no device for %.2s in '%s'", table, table);
				abort();
			}
			to += sprintf(to, "%s", name);
			table += 2;
		} else {
			*to++ = *table++;
		}
	}
	return out;
}

/* Finds the first target of the table that the kernel lacks. */
static bool lacks_target(const char *table, char type[32])
{
	for (; *table; table += strcspn(table, "\n"), table += *table == '\n') {
		if (sscanf(table, "%*u %*u %31s", type) != 1)
			continue;
		if (!bc_dm_has_target(type))
			return true;
	}
	return false;
}

int bc_stack_add(struct bc_stack *s, const char *table, const struct bc_dev *a,
		 const struct bc_dev *b)
{
	char name[32], type[32], *text = bc_stack_table(s, table, a, b);
	struct bc_dm *dm = &s->dm[s->nr];
	int ret;

	snprintf(name, sizeof(name), NAME, s->nr);
	ret = bc_dm_create(dm, name);
	if (ret == -ENOENT || ret == -ENODEV || ret == -ENXIO) {
		bc_set_reason("no /dev/mapper/control: the kernel has no device mapper");
		ret = 1;
	} else if (ret) {
		bc_set_reason("cannot create a dm device: %s", strerror(-ret));
	} else {
		s->nr++;
		ret = bc_dm_load(dm, text) ?: bc_dm_resume(dm);
		if (ret)
			bc_set_reason("cannot load the table '%s': %s", text, strerror(-ret));
		if (ret && lacks_target(text, type)) {
			bc_set_reason("the kernel has no dm target '%s'", type);
			ret = 1;
		}
	}
	free(text);
	return ret > 0 ? 1 : ret ? -1 : 0;
}

/* Wakes what an earlier test, ended in the middle, has left asleep, then goes on. */
void bc_stack_sweep(void)
{
	struct bc_dm dm[BC_STACK_MOST] = { 0 };
	unsigned int i;

	for (i = 0; i < BC_STACK_MOST; i++) {
		snprintf(dm[i].name, sizeof(dm[i].name), NAME, i);
		bc_dm_message(&dm[i], "clear");
		bc_dm_message(&dm[i], "release");
		if (bc_dm_resume(&dm[i]) == -ENXIO)
			dm[i].name[0] = '\0';
	}
	while (i--)
		bc_dm_remove(&dm[i]);
}

int bc_stack_make(struct bc_stack *s, const char *const tables[BC_STACK_MOST],
		  const struct bc_dev *a, const struct bc_dev *b)
{
	unsigned int i;
	int ret = 0;

	memset(s, 0, sizeof(*s));
	s->top.fd = -1;
	s->top.bfd = -1;
	bc_stack_sweep();
	for (i = 0; i < BC_STACK_MOST && tables[i] && !ret; i++)
		ret = bc_stack_add(s, tables[i], a, b);
	if (!ret)
		ret = bc_open_path(&s->top, s->dm[s->nr - 1].path);
	if (ret)
		bc_stack_remove(s);
	return ret;
}

int bc_stack_open(const struct bc_stack *s, unsigned int first, struct bc_dev *dev,
		  unsigned int nr)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr; i++)
		dev[i].fd = dev[i].bfd = -1;
	for (i = 0; !ret && i < nr; i++)
		ret = bc_open_path(&dev[i], s->dm[first + i].path) ?: bc_need_copy(&dev[i]);
	return ret;
}

int bc_stack_remove(struct bc_stack *s)
{
	int ret = 0, err;

	/* A fixture that was never set up is all zeroes. */
	if (s->nr)
		bc_close(&s->top);
	while (s->nr) {
		err = bc_dm_remove(&s->dm[--s->nr]);
		if (err) {
			bc_log("%s cannot be removed: %s", s->dm[s->nr].name, strerror(-err));
			ret = -1;
		}
	}
	return ret;
}

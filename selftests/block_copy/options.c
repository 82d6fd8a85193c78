// SPDX-License-Identifier: GPL-2.0
/* Options of programs that can be run by hand, to replay what they did. */
#include "blkcopy_lib.h"

int bc_options(int argc, char **argv, const struct bc_option *options)
{
	int i;

	for (i = 1; i < argc; i++) {
		const struct bc_option *o = options;

		while (o->name && strcmp(o->name, argv[i]))
			o++;
		if (!o->name || (!o->flag && i + 1 == argc))
			return -1;
		if (o->flag)
			*o->flag = true;
		else if (o->number)
			*o->number = strtoull(argv[++i], NULL, 0);
		else
			*o->text = argv[++i];
	}
	return 0;
}

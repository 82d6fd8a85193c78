// SPDX-License-Identifier: GPL-2.0
/*
 * The KUnit suites of the in-kernel interface: loading their module runs them,
 * and debugfs has what came out, which is forwarded case by case.
 */
#include <sys/syscall.h>

#include "blkcopy_lib.h"
#include "kselftest.h"
#include "module.h"

#define MODULE	"copy-kunit"
#define RESULTS	"/sys/kernel/debug/kunit/%s/results"

/* A suite that leaves no result has failed. */
static const char * const suites[] = {
	"copy_iter", "copy_split", "copy_merge", "copy_submit", "copy_order",
	"copy_sync", "copy_stack", "copy_nested", "copy_bottom", "copy_fault",
	"copy_kcopyd", "copy_kcopyd_fail",
};

struct suite {
	const char *name;
	char *text;		/* its KTAP, NULL if there is none */
	unsigned int plan;
	unsigned int seen;
};

static char *read_results(const char *name)
{
	char path[128], *text = NULL;
	size_t len = 0;
	FILE *f;

	snprintf(path, sizeof(path), RESULTS, name);
	f = fopen(path, "r");
	if (!f)
		return NULL;
	if (getdelim(&text, &len, '\0', f) < 0) {
		free(text);
		text = NULL;
	}
	fclose(f);
	return text;
}

/* Cases are indented by four spaces, their parameters by eight. */
static const char *case_line(const char *line)
{
	if (strncmp(line, "    ", 4) || line[4] == ' ')
		return NULL;
	return line + 4;
}

static unsigned int read_plan(const char *text)
{
	const char *line, *plan;
	unsigned int nr;

	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		plan = case_line(line);
		if (plan && sscanf(plan, "1..%u", &nr) == 1)
			return nr;
	}
	return 0;
}

/* What a failed case has to say: everything since the case before it. */
static void print_lines(const char *from, const char *to)
{
	const char *end;

	for (; from < to; from = end + 1) {
		end = memchr(from, '\n', to - from) ?: to;
		ksft_print_msg("%.*s\n", (int)(end - from), from);
	}
}

static void forward_suite(struct suite *suite)
{
	char *line, *end, *since = suite->text, name[128], full[160], *skip;
	const char *text;
	unsigned int nr;

	for (line = suite->text; *line; line = end + 1) {
		end = strchrnul(line, '\n');
		text = case_line(line);
		if (text && (sscanf(text, "ok %u %127s", &nr, name) == 2 ||
			     sscanf(text, "not ok %u %127s", &nr, name) == 2)) {
			skip = memmem(line, end - line, "# SKIP ", 7);
			suite->seen++;
			if (*text == 'n') {
				print_lines(since, line);
				ksft_test_result_fail("%s.%s\n", suite->name, name);
			} else if (skip) {
				snprintf(full, sizeof(full), "%s.%s", suite->name, name);
				skip += sizeof("# SKIP ") - 1;
				ksft_test_result_code(KSFT_SKIP, full, "%.*s",
						      (int)(end - skip), skip);
			} else {
				ksft_test_result_pass("%s.%s\n", suite->name, name);
			}
			since = end + 1;
		}
		if (!*end)
			break;
	}
}

int main(void)
{
	struct suite results[ARRAY_SIZE(suites)] = { };
	unsigned int i, plan = ARRAY_SIZE(suites) + 1;
	int ret;

	ksft_print_header();
	/* Results of an earlier run say nothing about this one. */
	syscall(SYS_delete_module, "copy_kunit", O_NONBLOCK);
	ret = bc_load_module(MODULE);
	if (ret > 0)
		ksft_exit_skip("%s\n", bc_reason());
	if (ret)
		ksft_exit_fail_msg("%s\n", bc_reason());

	for (i = 0; i < ARRAY_SIZE(suites); i++) {
		results[i].name = suites[i];
		results[i].text = read_results(suites[i]);
		if (results[i].text)
			results[i].plan = read_plan(results[i].text);
		plan += results[i].plan;
	}
	ksft_set_plan(plan);

	for (i = 0; i < ARRAY_SIZE(suites); i++) {
		if (results[i].text)
			forward_suite(&results[i]);
		/* A case that never ended has no line. */
		for (; results[i].seen < results[i].plan; results[i].plan--)
			ksft_test_result_fail("%s: a case has no result\n", suites[i]);
		ksft_test_result(results[i].plan, "%s has run\n", suites[i]);
		free(results[i].text);
	}
	ret = syscall(SYS_delete_module, "copy_kunit", O_NONBLOCK);
	if (ret)
		ksft_print_msg("cannot unload it: %s\n", strerror(errno));
	ksft_test_result(!ret, "unload\n");
	ksft_finished();
}

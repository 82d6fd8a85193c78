// SPDX-License-Identifier: GPL-2.0
/*
 * Stacks of many shapes that copy. All lie in the same part of one drive;
 * none maps two places to the same sector, each leaves gaps between its parts.
 */
#include "module.h"
#include "stack.h"

static const struct {
	const char *name;
	const char *tables[BC_STACK_MOST];
	const char *module;
} shapes[] = {
	[BC_SHAPE_linear] = { "linear", {
		"0 @6000 linear %a @5000\n" } },

	/* Segments of odd lengths, not in the order of the drive. */
	[BC_SHAPE_swapped] = { "swapped", {
		"0 @1001 linear %a @15003\n"
		"@1001 @2999 linear %a @5100\n"
		"@4000 @77 linear %a @14000\n"
		"@4077 @1923 linear %a @9001\n" } },

	/* Segments shorter than nearly every copy. */
	[BC_SHAPE_crumbs] = { "crumbs", {
		"@0 @11 linear %a @4155\n"
		"@11 @65 linear %a @5529\n"
		"@76 @131 linear %a @5767\n"
		"@207 @64 linear %a @5152\n"
		"@271 @2 linear %a @5483\n"
		"@273 @9 linear %a @4780\n"
		"@282 @128 linear %a @5635\n"
		"@410 @29 linear %a @5440\n"
		"@439 @23 linear %a @5119\n"
		"@462 @41 linear %a @4111\n"
		"@503 @257 linear %a @4242\n"
		"@760 @37 linear %a @5371\n"
		"@797 @5 linear %a @5613\n"
		"@802 @17 linear %a @4617\n"
		"@819 @129 linear %a @4640\n"
		"@948 @255 linear %a @4845\n"
		"@1203 @1 linear %a @4836\n"
		"@1204 @3 linear %a @4236\n"
		"@1207 @63 linear %a @4168\n"
		"@1270 @31 linear %a @4796\n"
		"@1301 @7 linear %a @5421\n"
		"@1308 @96 linear %a @4513\n"
		"@1404 @127 linear %a @5228\n"
		"@1531 @13 linear %a @5500\n" } },

	/* The smallest chunk that dm takes where a block is 512 bytes. */
	[BC_SHAPE_striped_4k] = { "striped_4k", {
		"0 @6144 striped 2 @8 %a @5001 %a @12003\n" } },

	[BC_SHAPE_striped_odd] = { "striped_odd", {
		"0 @5967 striped 3 @13 %a @4500 %a @15000 %a @9000\n" } },

	[BC_SHAPE_striped_wide] = { "striped_wide", {
		"0 @6144 striped 4 @128 %a @8000 %a @4100 %a @18000 %a @6000\n" } },

	/* linear over striped over linear, swapped at both ends */
	[BC_SHAPE_three_levels] = { "three_levels", {
		"0 @2000 linear %a @17001\n"
		"@2000 @1200 linear %a @4100\n",
		"0 @700 linear %a @7001\n"
		"@700 @2500 linear %a @10001\n",
		"0 @6400 striped 2 @16 %0 0 %1 0\n",
		"0 @1999 linear %2 @3001\n"
		"@1999 @3001 linear %2 0\n"
		"@5000 @1400 linear %2 @5000\n" } },

	[BC_SHAPE_mixed] = { "mixed", {
		"0 @1501 linear %a @4500\n"
		"@1501 @1024 striped 2 @32 %a @7000 %a @8001\n"
		"@2525 @1475 flakey %a @10003 3600 0\n"
		"@4000 @500 delay %a @13001 1\n" } },

	/* A worker submits what comes through. */
	[BC_SHAPE_delayed] = { "delayed", {
		"0 @6000 delay %a @4400 1\n",
		"0 @2501 linear %0 @3499\n"
		"@2501 @3499 linear %0 0\n" } },

	/* A target that takes as much at a time as it likes. */
	[BC_SHAPE_torn] = { "torn", {
		"0 @6000 copytest %a @4400 seed 7 split all always @1 @13\n",
		"0 @2501 linear %0 @3499\n"
		"@2501 @3499 linear %0 0\n" }, "dm-copytest" },

	/* A worker again, in an order and after a time of its own choice. */
	[BC_SHAPE_deferred] = { "deferred", {
		"0 @6000 copytest %a @4400 seed 5 delay copy chance:300 50 2000 "
			"reorder copy chance:300 3 defer copy always\n",
		"0 @2501 linear %0 @3499\n"
		"@2501 @3499 linear %0 0\n" }, "dm-copytest" },

	[BC_SHAPE_permuted] = { "permuted", {
		"0 @6000 copytest %a @4400 seed 9 chunk @24\n" }, "dm-copytest" },
};

const char *bc_shape_name(enum bc_shape shape)
{
	return shapes[shape].name;
}

int bc_shape_make(struct bc_stack *s, enum bc_shape shape, const struct bc_dev *a)
{
	int ret = shapes[shape].module ? bc_load_module(shapes[shape].module) : 0;

	/* What was not made is not removed. */
	memset(s, 0, sizeof(*s));
	return ret ?: bc_stack_make(s, shapes[shape].tables, a, NULL);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * A permutation of chunks: what is contiguous above is scattered below. It is
 * a function of seed and number of chunks, so a table line that is loaded
 * again finds the same data.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "copytest.h"

#define CT_MAX_CHUNKS	BIT(24)

char *ct_map_init(struct ct_map *map, sector_t len, unsigned int chunk, u64 seed)
{
	struct rnd_state rnd;
	sector_t nr = len;
	u32 i;

	map->chunk = chunk;
	if (!chunk)
		return NULL;
	if (sector_div(nr, chunk))
		return "The length is not a multiple of the chunk";
	if (nr > CT_MAX_CHUNKS)
		return "The chunk is too small: there would be more than 2^24";

	map->place = kvmalloc_array(nr, sizeof(*map->place), GFP_KERNEL);
	if (!map->place)
		return "No memory for the permutation of chunks";
	prandom_seed_state(&rnd, seed);
	for (i = 0; i < nr; i++) {
		u32 other = prandom_u32_state(&rnd) % (i + 1);

		map->place[i] = map->place[other];
		map->place[other] = i;
	}
	return NULL;
}

void ct_map_exit(struct ct_map *map)
{
	kvfree(map->place);
}

sector_t ct_map_left(const struct ct_map *map, sector_t offset, sector_t len)
{
	sector_t index = offset;

	if (!map->chunk)
		return len;
	return min_t(sector_t, len, map->chunk - sector_div(index, map->chunk));
}

sector_t ct_map_sector(const struct ct_map *map, sector_t offset)
{
	sector_t index = offset;
	unsigned int within;

	if (!map->chunk)
		return offset;
	within = sector_div(index, map->chunk);
	return (sector_t)map->place[index] * map->chunk + within;
}

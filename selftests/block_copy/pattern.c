// SPDX-License-Identifier: GPL-2.0
/*
 * Golden data. What a sector holds is a function of the seed, the generation
 * and the sector number at which it was first written, and can be inverted:
 * a wrong sector tells where its data came from.
 */
#include <sys/mman.h>
#include <sys/random.h>

#include "blkcopy_lib.h"

#define WORDS		(BC_SECTOR / sizeof(__u64))
#define ODD		0x9e3779b97f4a7c15ULL

__u64 bc_seed;
static __u64 salt;
static __u64 rand_state;
static __u64 *next_gen;		/* shared with the forked tests */

/* The finaliser of splitmix64: a bijection of 64-bit words. */
__u64 bc_mix(__u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

__u64 bc_unmix(__u64 x)
{
	x = (x ^ (x >> 31) ^ (x >> 62)) * 0x319642b2d24d8ec3ULL;
	x = (x ^ (x >> 27) ^ (x >> 54)) * 0x96de1b173f119089ULL;
	return x ^ (x >> 30) ^ (x >> 60);
}

__attribute__((constructor)) static void choose_seed(void)
{
	const char *env = getenv("COPY_SEED");
	const char *c;

	if (env)
		bc_seed = strtoull(env, NULL, 0);
	else if (getrandom(&bc_seed, sizeof(bc_seed), 0) != sizeof(bc_seed))
		bc_seed = getpid();
	/* Programs run one after the other must not share their data. */
	salt = bc_mix(bc_seed + ODD);
	for (c = program_invocation_short_name; *c; c++)
		salt = bc_mix(salt + (unsigned char)*c);
	rand_state = salt;
	next_gen = mmap(NULL, sizeof(*next_gen), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (next_gen == MAP_FAILED)
		abort();
	*next_gen = 1;
}

__u64 bc_new_gen(void)
{
	return __atomic_fetch_add(next_gen, 1, __ATOMIC_RELAXED);
}

void bc_sector_fill(void *sector, __u64 tag)
{
	__u64 *word = sector;
	__u64 value = bc_mix(tag ^ salt);
	unsigned int i;

	/* Tag 0: never written, zeroes. */
	if (!tag) {
		memset(sector, 0, BC_SECTOR);
		return;
	}
	for (i = 0; i < WORDS; i++)
		word[i] = value + i * ODD;
}

bool bc_sector_is(const void *sector, __u64 tag)
{
	const __u64 *word = sector;
	__u64 value = bc_mix(tag ^ salt);
	__u64 diff = 0;
	unsigned int i;

	if (!tag) {
		for (i = 0; i < WORDS; i++)
			diff |= word[i];
		return !diff;
	}
	for (i = 0; i < WORDS; i++)
		diff |= word[i] ^ (value + i * ODD);
	return !diff;
}

const char *bc_sector_name(const void *sector, char *buf, size_t len)
{
	const __u64 *word = sector;
	__u64 tag = bc_unmix(word[0]) ^ salt;
	__u64 gen = tag >> BC_TAG_POS_BITS;

	if (bc_sector_is(sector, 0))
		snprintf(buf, len, "zeroes");
	else if (gen < __atomic_load_n(next_gen, __ATOMIC_RELAXED))
		snprintf(buf, len, "%sgeneration %llu of sector %llu",
			 bc_sector_is(sector, tag) ? "" : "a damaged ", gen,
			 tag & ((1ULL << BC_TAG_POS_BITS) - 1));
	else
		snprintf(buf, len, "data of no test (first word %016llx)", word[0]);
	return buf;
}

static __u64 next(__u64 *state)
{
	*state += ODD;
	return bc_mix(*state);
}

__u64 bc_rand(void)
{
	return next(&rand_state);
}

__u64 bc_rand_below(__u64 n)
{
	return bc_below(&rand_state, n);
}

__u64 bc_below(__u64 *state, __u64 n)
{
	return next(state) % n;
}

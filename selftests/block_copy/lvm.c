// SPDX-License-Identifier: GPL-2.0
/*
 * LVM's own tools on one drive, with a file system in use: the drive copies what
 * they move, all files stay what they were, and the file systems are clean.
 * Needs lvm2, thin-provisioning-tools and e2fsprogs.
 */
#include <sys/mount.h>

#include "blkcopy_test.h"
#include "kcopyd.h"
#include "lvm.h"

#define LV_MIB		64ULL
#define LV_BYTES	(LV_MIB * BC_MIB)

static const char * const programs[] = {
	"lvm", "dmsetup", "mke2fs", "e2fsck", "thin_check", "cache_check", NULL
};

FIXTURE(lvm) {
	struct bc_dev a;
	struct fs_load load;
};

FIXTURE_SETUP(lvm)
{
	BC_REQUIRE(lvm_need(programs));
	BC_REQUIRE(bc_open(&self->a, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->a));
	ASSERT_EQ(0, lvm_configure());
	umount("/mnt/a");
	umount("/mnt/b");
	bc_stack_sweep();
	lvm_stop(&self->a);
	ASSERT_EQ(0, lvm_start(&self->a));
}

FIXTURE_TEARDOWN(lvm)
{
	lvm_stop(&self->a);
	bc_close(&self->a);
}

/* A volume with a file system that is written to from now on. */
static int start_load(FIXTURE_DATA(lvm) *self)
{
	return lvm_run("lvm lvcreate -y -Wn -Zn -n a -L %llum " LVM_VG " %s:0-%llu", LV_MIB,
		      self->a.path, LV_MIB / 4 - 1) ?:
	       fs_make(LVM_LV "a") ?: fs_mount(LVM_LV "a", "/mnt/a") ?:
	       fs_load_start(&self->load, "/mnt/a");
}

static int check_load(FIXTURE_DATA(lvm) *self)
{
	return fs_verify("/mnt/a", self->load.files) ?: fs_umount("/mnt/a") ?:
	       fs_check(LVM_LV "a") ?: fs_mount(LVM_LV "a", "/mnt/a") ?:
	       fs_verify("/mnt/a", self->load.files) ?: fs_umount("/mnt/a");
}

static int stop_load(FIXTURE_DATA(lvm) *self)
{
	return fs_load_stop(&self->load) ?: check_load(self);
}

/*
 * The drive has copied @bytes, at least. It has read far less; LVM's tools look at their
 * metadata often.
 */
static int expect_moved(const struct bc_dev *a, __u64 bytes)
{
	struct bc_counts c;

	if (!bc_have_witness())
		return 0;
	if (bc_count(&c))
		return -1;
	bc_log("the drive copied %llu KiB in %llu commands, read %llu KiB, wrote %llu KiB",
	       c.blocks * a->lbs / 1024, c.copies, c.read_bytes / 1024, c.write_bytes / 1024);
	if (c.blocks * a->lbs >= bytes && c.read_bytes < bytes / 4 + 2 * BC_MIB)
		return 0;
	bc_log("must have copied %llu KiB and not read a quarter of that", bytes / 1024);
	return -1;
}

/* Extents of the volume go to another place of the drive, while it is written to. */
TEST_F_TIMEOUT(lvm, pvmove, 300)
{
	char where[256];

	ASSERT_EQ(0, start_load(self));
	ASSERT_EQ(0, bc_mark());
	ASSERT_EQ(0, lvm_run("lvm pvmove -i 1 --alloc anywhere %s:0-15 %s:100-200", self->a.path,
			    self->a.path));
	EXPECT_EQ(0, expect_moved(&self->a, LV_BYTES));
	ASSERT_EQ(0, stop_load(self));
	ASSERT_EQ(0, lvm_read(where, sizeof(where),
				 "lvm lvs --noheadings -o devices " LVM_VG "/a"));
	EXPECT_NE(NULL, strstr(where, "(100)")) TH_LOG("it is still at %s", where);
}

/* A second leg on the same drive. */
TEST_F_TIMEOUT(lvm, mirror, 300)
{
	char synced[64];
	int tries;

	if (!bc_full())
		SKIP(return, "takes time: with COPY_FULL=1");
	ASSERT_EQ(0, start_load(self));
	ASSERT_EQ(0, bc_mark());
	ASSERT_EQ(0, lvm_run("lvm lvconvert -y -i 1 --type mirror -m 1 --mirrorlog core --alloc anywhere " LVM_VG "/a %s:100-200",
			    self->a.path));
	for (tries = 0; tries < 300; tries++) {
		ASSERT_EQ(0, lvm_read(synced, sizeof(synced),
					 "lvm lvs --noheadings -o copy_percent " LVM_VG "/a"));
		if (strstr(synced, "100"))
			break;
		usleep(100000);
	}
	EXPECT_GT(300, tries) TH_LOG("synced: %s", synced);
	EXPECT_EQ(0, expect_moved(&self->a, LV_BYTES));
	/* The new leg alone has to do. */
	ASSERT_EQ(0, lvm_run("lvm lvconvert -y -m 0 " LVM_VG "/a %s:0-15", self->a.path));
	ASSERT_EQ(0, stop_load(self));
}

/* A snapshot in use, which is merged back in the end. */
TEST_F_TIMEOUT(lvm, snapshot, 300)
{
	__u64 files;
	int tries;
	char left[128];

	if (!bc_full())
		SKIP(return, "takes time: with COPY_FULL=1");

	ASSERT_EQ(0, start_load(self));
	usleep(300000);
	ASSERT_EQ(0, fs_load_stop(&self->load));
	files = self->load.files;
	sync();
	ASSERT_EQ(0, lvm_run("lvm lvcreate -y -s -c 64k -n s -L 96m " LVM_VG "/a"));
	ASSERT_EQ(0, bc_mark());
	ASSERT_EQ(0, fs_load_for(&self->load, "/mnt/a", 500));
	EXPECT_EQ(0, expect_moved(&self->a, BC_MIB / 2));
	ASSERT_EQ(0, fs_verify("/mnt/a", self->load.files));
	ASSERT_EQ(0, fs_umount("/mnt/a"));
	/* The snapshot was taken of a file system in use: its journal makes it right. */
	ASSERT_EQ(0, fs_mount(LVM_LV "s", "/mnt/b"));
	EXPECT_EQ(0, fs_verify("/mnt/b", files));
	ASSERT_EQ(0, fs_umount("/mnt/b"));
	EXPECT_EQ(0, fs_check(LVM_LV "s"));

	ASSERT_EQ(0, bc_mark());
	ASSERT_EQ(0, lvm_run("lvm lvconvert -y -i 1 --merge " LVM_VG "/s"));
	for (tries = 0; tries < 300; tries++) {
		ASSERT_EQ(0, lvm_read(left, sizeof(left), "lvm lvs --noheadings -o lv_name " LVM_VG));
		if (!strchr(left, 's'))
			break;
		usleep(100000);
	}
	EXPECT_GT(300, tries) TH_LOG("it is not merged: %s", left);
	EXPECT_EQ(0, expect_moved(&self->a, BC_MIB / 2));
	EXPECT_EQ(0, fs_check(LVM_LV "a"));
	ASSERT_EQ(0, fs_mount(LVM_LV "a", "/mnt/a"));
	EXPECT_EQ(0, fs_verify("/mnt/a", files));
	ASSERT_EQ(0, fs_umount("/mnt/a"));
}

/* dm-clone hydrates a volume while it is written to, and then that stands alone. */
TEST_F_TIMEOUT(lvm, clone, 300)
{
	struct bc_dm dm = { 0 };

	if (!bc_full())
		SKIP(return, "takes time: with COPY_FULL=1");
	ASSERT_EQ(0, start_load(self));
	usleep(300000);
	ASSERT_EQ(0, fs_load_stop(&self->load));
	ASSERT_EQ(0, fs_umount("/mnt/a"));
	ASSERT_EQ(0, lvm_run("lvm lvcreate -y -Wn -Zn -n d -L %llum " LVM_VG, LV_MIB));
	ASSERT_EQ(0, lvm_run("lvm lvcreate -y -Wn -Zy -n m -L 4m " LVM_VG));
	ASSERT_EQ(0, bc_mark());
	ASSERT_EQ(0, clone_make(&dm));
	EXPECT_EQ(0, fs_mount(dm.path, "/mnt/a"));
	EXPECT_EQ(0, fs_load_start(&self->load, "/mnt/a"));
	EXPECT_EQ(0, clone_await(&dm));
	EXPECT_EQ(0, fs_load_stop(&self->load));
	/* What is overwritten as a whole needs no copy. */
	EXPECT_EQ(0, expect_moved(&self->a, LV_BYTES / 2));
	EXPECT_EQ(0, fs_verify("/mnt/a", self->load.files));
	EXPECT_EQ(0, fs_umount("/mnt/a"));
	ASSERT_EQ(0, bc_dm_remove(&dm));
	EXPECT_EQ(0, fs_check(LVM_LV "d"));
	ASSERT_EQ(0, fs_mount(LVM_LV "d", "/mnt/a"));
	EXPECT_EQ(0, fs_verify("/mnt/a", self->load.files));
	ASSERT_EQ(0, fs_umount("/mnt/a"));
}

/* Thin snapshots share blocks until one of them is written to. */
TEST_F_TIMEOUT(lvm, thin, 300)
{
	__u64 files;

	if (!bc_full())
		SKIP(return, "takes time: with COPY_FULL=1");
	ASSERT_EQ(0, lvm_run("lvm lvcreate -y --type thin-pool -c 64k -Zn -L 256m -n pool " LVM_VG));
	ASSERT_EQ(0, lvm_run("lvm lvcreate -y -Wn -V %llum -T -n a " LVM_VG "/pool", LV_MIB));
	ASSERT_EQ(0, fs_make(LVM_LV "a"));
	ASSERT_EQ(0, fs_mount(LVM_LV "a", "/mnt/a"));
	ASSERT_EQ(0, fs_load_for(&self->load, "/mnt/a", 500));
	files = self->load.files;
	sync();
	ASSERT_EQ(0, lvm_run("lvm lvcreate -y -kn -s -n s " LVM_VG "/a"));
	ASSERT_EQ(0, bc_mark());
	ASSERT_EQ(0, fs_load_for(&self->load, "/mnt/a", 500));
	EXPECT_EQ(0, expect_moved(&self->a, 128 * BC_KIB));
	ASSERT_EQ(0, check_load(self));
	ASSERT_EQ(0, fs_mount(LVM_LV "s", "/mnt/b"));
	EXPECT_EQ(0, fs_verify("/mnt/b", files));
	ASSERT_EQ(0, fs_umount("/mnt/b"));
	EXPECT_EQ(0, fs_check(LVM_LV "s"));
}

/* A cache on the same drive, and out of it again: what is dirty is copied back. */
TEST_F_TIMEOUT(lvm, cache, 300)
{
	struct bc_counts c;

	if (!bc_full())
		SKIP(return, "takes time: with COPY_FULL=1");
	ASSERT_EQ(0, start_load(self));
	ASSERT_EQ(0, lvm_run("lvm lvcreate -y -n fast -L 32m " LVM_VG));
	ASSERT_EQ(0, lvm_run("lvm lvconvert -y --type cache -c 64k --cachemode writeback --cachevol fast " LVM_VG "/a"));
	usleep(2000000);
	ASSERT_EQ(0, fs_load_stop(&self->load));
	ASSERT_EQ(0, bc_mark());
	ASSERT_EQ(0, lvm_run("lvm lvconvert -y --uncache " LVM_VG "/a"));
	if (bc_have_witness()) {
		ASSERT_EQ(0, bc_count(&c));
		bc_log("out of the cache: copied %llu KiB in %llu commands",
		       c.blocks * self->a.lbs / 1024, c.copies);
		EXPECT_LT(0, c.copies);
	}
	ASSERT_EQ(0, fs_verify("/mnt/a", self->load.files));
	ASSERT_EQ(0, fs_umount("/mnt/a"));
	EXPECT_EQ(0, fs_check(LVM_LV "a"));
}

TEST_HARNESS_MAIN

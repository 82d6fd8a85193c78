// SPDX-License-Identifier: GPL-2.0
/*
 * The power goes while LVM moves data of a file system in use on one drive, and
 * the drive copies. When it is back, LVM goes on, and every file that had been
 * synced is what it was. The host cuts the power when we ask for it, starts the
 * machine again with the same drive, and us with COPY_BOOT=2, 3...
 */
#include <sys/mount.h>
#include <sys/wait.h>

#include "blkcopy_test.h"
#include "kcopyd.h"
#include "lvm.h"

#define LV_MIB		64ULL
#define PV_MIB		1024ULL
#define NOTE		(1536 * BC_MIB)	/* beyond what LVM uses */
#define THROTTLE	"/sys/module/dm_mirror/parameters/raid1_resync_throttle"

static const char * const programs[] = {
	"lvm", "dmsetup", "mke2fs", "e2fsck", "thin_check", "cache_check", NULL
};

FIXTURE(power_cut) {
	struct bc_dev a;
	struct fs_load load;
	__u64 note[64];		/* what the drive keeps for the next boot */
};

FIXTURE_SETUP(power_cut)
{
	BC_REQUIRE(lvm_need(programs));
	BC_REQUIRE(bc_open(&self->a, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->a));
	if (!bc_have_witness())
		SKIP(return, "there is no host that could cut the power");
	ASSERT_EQ(0, lvm_configure());
}

FIXTURE_TEARDOWN(power_cut)
{
	bc_close(&self->a);
}

static int throttle(const char *percent)
{
	int fd = open(THROTTLE, O_WRONLY | O_CLOEXEC), ret = -1;

	if (fd >= 0)
		ret = write(fd, percent, strlen(percent)) > 0 ? 0 : -1;
	close(fd);
	return ret;
}

/* A volume group, and in it a file system that is in use. */
static int start_load(FIXTURE_DATA(power_cut) *self)
{
	lvm_stop(&self->a);
	self->load.files = 0;
	return lvm_run("lvm pvcreate -ff -y --setphysicalvolumesize %llum %s", PV_MIB,
		      self->a.path) ?:
	       lvm_run("lvm vgcreate -s 4m " LVM_VG " %s", self->a.path) ?:
	       lvm_run("lvm lvcreate -y -Wn -Zn -n a -L %llum " LVM_VG " %s:0-%llu", LV_MIB,
		      self->a.path, LV_MIB / 4 - 1) ?:
	       fs_make(LVM_LV "a") ?: fs_mount(LVM_LV "a", "/mnt/a") ?:
	       fs_load_start(&self->load, "/mnt/a");
}

/* Waits until the drive has copied that much since bc_mark(). */
static int await_copied(const struct bc_dev *a, __u64 bytes)
{
	__u64 end = bc_now_ms() + 60000;
	struct bc_counts c;

	do {
		if (bc_count(&c))
			return -1;
		if (c.blocks * a->lbs >= bytes)
			return 0;
		usleep(2000);
	} while (bc_now_ms() < end);
	bc_log("the drive copied %llu bytes only", c.blocks * a->lbs);
	return -1;
}

/* Does not return. */
static int cut(FIXTURE_DATA(power_cut) *self)
{
	self->note[0] = __atomic_load_n(&self->load.files, __ATOMIC_ACQUIRE);
	if (pwrite(self->a.fd, self->note, sizeof(self->note), NOTE) != sizeof(self->note))
		return -1;
	bc_power_cut();
	bc_log("the power is still on");
	return -1;
}

/* Runs a command that takes longer than there is power. */
static int start(const char *command)
{
	pid_t pid = fork();

	if (!pid)
		_exit(lvm_run("%s", command) ? 1 : 0);
	return pid < 0 ? -1 : 0;
}

static int wake_up(FIXTURE_DATA(power_cut) *self)
{
	if (pread(self->a.fd, self->note, sizeof(self->note), NOTE) != sizeof(self->note))
		return -1;
	bc_log("%llu files had been synced", self->note[0]);
	return lvm_run("lvm vgchange -ay " LVM_VG);
}

static int verify(FIXTURE_DATA(power_cut) *self, const char *lv)
{
	char dev[64];

	snprintf(dev, sizeof(dev), LVM_LV "%s", lv);
	/* Mounting replays the journal, and then there must be nothing to repair. */
	return fs_mount(dev, "/mnt/a") ?: fs_verify("/mnt/a", self->note[0]) ?:
	       fs_umount("/mnt/a") ?: fs_check(dev);
}

static int pvmove_begins(FIXTURE_DATA(power_cut) *self)
{
	char command[320];

	snprintf(command, sizeof(command), "lvm pvmove -i 1 --alloc anywhere %s:0-15 %s:100-200",
		 self->a.path, self->a.path);
	return start_load(self) ?: throttle("2") ?: bc_mark() ?: start(command) ?:
	       await_copied(&self->a, LV_MIB / 4 * BC_MIB) ?: cut(self);
}

static int pvmove_resumes(FIXTURE_DATA(power_cut) *self)
{
	char where[256];

	if (wake_up(self) || lvm_run("lvm pvmove -i 1") ||
	    lvm_read(where, sizeof(where), "lvm lvs --noheadings -o devices " LVM_VG "/a"))
		return -1;
	if (!strstr(where, "(100)")) {
		bc_log("it was not moved, but is at %s", where);
		return -1;
	}
	return verify(self, "a");
}

/* Lets the load write files for a while, and notes how many must stay. */
static int keep_files(FIXTURE_DATA(power_cut) *self)
{
	usleep(300000);
	if (fs_load_stop(&self->load))
		return -1;
	self->note[1] = self->load.files;
	sync();
	return 0;
}

/* A snapshot: what it must keep, it keeps, in whatever moment of a copy it was. */
static int snapshot_begins(FIXTURE_DATA(power_cut) *self)
{
	if (start_load(self) || keep_files(self))
		return -1;
	return lvm_run("lvm lvcreate -y -s -c 64k -n s -L 96m " LVM_VG "/a") ?: bc_mark() ?:
	       fs_load_start(&self->load, "/mnt/a") ?:
	       await_copied(&self->a, 2 * BC_MIB) ?: cut(self);
}

static int snapshot_is_whole(FIXTURE_DATA(power_cut) *self)
{
	if (wake_up(self) || verify(self, "a"))
		return -1;
	self->note[0] = self->note[1];
	return verify(self, "s");
}

/* It is merged back, and that is interrupted too. */
static int merge_begins(FIXTURE_DATA(power_cut) *self)
{
	int ret = bc_mark() ?: lvm_run("lvm lvconvert -y -b --merge " LVM_VG "/s") ?:
		  await_copied(&self->a, BC_MIB / 4);

	self->load.files = self->note[1];
	return ret ?: cut(self);
}

static int merge_goes_on(FIXTURE_DATA(power_cut) *self)
{
	char left[128];
	int tries;

	if (wake_up(self))
		return -1;
	for (tries = 0; tries < 300; tries++) {
		/* Polls, and takes the snapshot away when it has been merged. */
		if (lvm_run("lvm vgchange --poll y " LVM_VG) ||
		    lvm_read(left, sizeof(left), "lvm lvs --noheadings -o lv_name " LVM_VG))
			return -1;
		if (!strchr(left, 's'))
			return verify(self, "a");
		usleep(100000);
	}
	bc_log("it is not merged: %s", left);
	return -1;
}

static int thin_begins(FIXTURE_DATA(power_cut) *self)
{
	lvm_stop(&self->a);
	self->load.files = 0;
	if (lvm_run("lvm pvcreate -ff -y --setphysicalvolumesize %llum %s", PV_MIB, self->a.path) ||
	    lvm_run("lvm vgcreate -s 4m " LVM_VG " %s", self->a.path) ||
	    lvm_run("lvm lvcreate -y --type thin-pool -c 64k -Zn -L 256m -n pool " LVM_VG) ||
	    lvm_run("lvm lvcreate -y -Wn -V %llum -T -n a " LVM_VG "/pool", LV_MIB) ||
	    fs_make(LVM_LV "a") || fs_mount(LVM_LV "a", "/mnt/a") ||
	    fs_load_start(&self->load, "/mnt/a") || keep_files(self))
		return -1;
	return lvm_run("lvm lvcreate -y -kn -s -n s " LVM_VG "/a") ?: bc_mark() ?:
	       fs_load_start(&self->load, "/mnt/a") ?:
	       await_copied(&self->a, 256 * BC_KIB) ?: cut(self);
}

static int mirror_begins(FIXTURE_DATA(power_cut) *self)
{
	char command[320];

	snprintf(command, sizeof(command),
		 "lvm lvconvert -y -i 1 --type mirror -m 1 --mirrorlog core --alloc anywhere "
		 LVM_VG "/a %s:100-200", self->a.path);
	return start_load(self) ?: throttle("2") ?: bc_mark() ?: start(command) ?:
	       await_copied(&self->a, LV_MIB / 4 * BC_MIB) ?: cut(self);
}

static int clone_begins(FIXTURE_DATA(power_cut) *self)
{
	struct bc_dm dm;

	if (start_load(self) || fs_load_stop(&self->load) || fs_umount("/mnt/a") ||
	    lvm_run("lvm lvcreate -y -Wn -Zn -n d -L %llum " LVM_VG, LV_MIB) ||
	    lvm_run("lvm lvcreate -y -Wn -Zy -n m -L 4m " LVM_VG))
		return -1;
	return bc_mark() ?: clone_make(&dm) ?: fs_mount(dm.path, "/mnt/a") ?:
	       fs_load_start(&self->load, "/mnt/a") ?:
	       await_copied(&self->a, 4 * BC_MIB) ?: cut(self);
}

static int clone_goes_on(FIXTURE_DATA(power_cut) *self)
{
	struct bc_dm dm;

	return wake_up(self) ?: clone_make(&dm) ?: clone_await(&dm) ?: -bc_dm_remove(&dm) ?:
	       verify(self, "d");
}

static int mirror_is_whole(FIXTURE_DATA(power_cut) *self)
{
	return wake_up(self) ?: verify(self, "a");
}

/* What is dirty in a cache is copied back, under load, and that is interrupted. */
static int cache_begins(FIXTURE_DATA(power_cut) *self)
{
	if (start_load(self) || lvm_run("lvm lvcreate -y -n fast -L 32m " LVM_VG) ||
	    lvm_run("lvm lvconvert -y --type cache -c 64k --cachemode writeback "
		    "--cachevol fast " LVM_VG "/a"))
		return -1;
	usleep(2000000);
	return bc_mark() ?: start("lvm lvconvert -y --uncache " LVM_VG "/a") ?:
	       await_copied(&self->a, 256 * BC_KIB) ?: cut(self);
}

static int cache_goes_on(FIXTURE_DATA(power_cut) *self)
{
	return wake_up(self) ?: verify(self, "a") ?:
	       lvm_run("lvm lvconvert -y --uncache " LVM_VG "/a") ?: verify(self, "a");
}

static const struct {
	const char *name;
	int (*begin)(FIXTURE_DATA(power_cut) *self);
	int (*after)(FIXTURE_DATA(power_cut) *self);
} stages[] = {
	{ "pvmove", pvmove_begins, pvmove_resumes },
	/* With COPY_FULL only: */
	{ "snapshot", snapshot_begins, snapshot_is_whole },
	{ "merge", merge_begins, merge_goes_on },
	{ "thin", thin_begins, snapshot_is_whole },
	{ "mirror", mirror_begins, mirror_is_whole },
	{ "clone", clone_begins, clone_goes_on },
	{ "cache", cache_begins, cache_goes_on },
};

#define QUICK_STAGES	1

/* What begins in one boot is looked at in the next one. */
TEST_F_TIMEOUT(power_cut, in_the_middle, 600)
{
	const char *text = getenv("COPY_BOOT");
	unsigned int boot = text ? atoi(text) : 1;
	unsigned int nr = bc_full() ? ARRAY_SIZE(stages) : QUICK_STAGES;

	if (boot > 1)
		ASSERT_EQ(0, stages[boot - 2].after(self)) TH_LOG("%s", stages[boot - 2].name);
	if (boot <= nr)
		ASSERT_EQ(0, stages[boot - 1].begin(self)) TH_LOG("%s", stages[boot - 1].name);
	lvm_stop(&self->a);
}

TEST_HARNESS_MAIN

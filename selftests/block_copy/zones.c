// SPDX-License-Identifier: GPL-2.0
/* Zones, as the kernel reports and manages them. */
#include <sys/ioctl.h>
#include <linux/blkzoned.h>

#include "nullb.h"

int bc_zone_get(const struct bc_dev *dev, __u64 offset, struct bc_zone *zone)
{
	struct {
		struct blk_zone_report head;
		struct blk_zone zone;
	} report = { .head = { .sector = offset / BC_SECTOR, .nr_zones = 1 } };

	memset(zone, 0, sizeof(*zone));
	if (ioctl(dev->fd, BLKREPORTZONE, &report) || report.head.nr_zones != 1) {
		bc_log("no report of the zone at %llu of %s: %s", offset, dev->path,
		       strerror(errno));
		return -1;
	}
	zone->start = report.zone.start * BC_SECTOR;
	zone->len = report.zone.len * BC_SECTOR;
	zone->capacity = report.head.flags & BLK_ZONE_REP_CAPACITY ?
			 report.zone.capacity * BC_SECTOR : zone->len;
	zone->type = report.zone.type;
	zone->cond = report.zone.cond;
	switch (zone->cond) {
	case BLK_ZONE_COND_EMPTY:
		zone->written = 0;
		break;
	case BLK_ZONE_COND_FULL:
		zone->written = zone->capacity;
		break;
	default:
		zone->written = report.zone.wp * BC_SECTOR - zone->start;
	}
	return 0;
}

static int manage(const struct bc_dev *dev, unsigned long request, __u64 offset, __u64 len)
{
	struct blk_zone_range range = {
		.sector = offset / BC_SECTOR,
		.nr_sectors = len / BC_SECTOR,
	};

	return ioctl(dev->fd, request, &range) ? -errno : 0;
}

static int manage_one(const struct bc_dev *dev, unsigned long request, __u64 offset)
{
	struct bc_zone zone;

	if (bc_zone_get(dev, offset, &zone))
		return -ENXIO;
	return manage(dev, request, zone.start, zone.len);
}

int bc_zone_reset(const struct bc_dev *dev, __u64 offset)
{
	return manage_one(dev, BLKRESETZONE, offset);
}

int bc_zone_finish(const struct bc_dev *dev, __u64 offset)
{
	return manage_one(dev, BLKFINISHZONE, offset);
}

int bc_zone_reset_all(const struct bc_dev *dev)
{
	return manage(dev, BLKRESETZONE, 0, dev->size);
}

int bc_zone_expect(const struct bc_dev *dev, __u64 offset, __u64 written)
{
	struct bc_zone zone;

	if (bc_zone_get(dev, offset, &zone))
		return -1;
	if (zone.written == written)
		return 0;
	bc_log("%llu bytes of the zone at %llu are written, must be %llu", zone.written,
	       zone.start, written);
	return -1;
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "pcapng.h"

struct file {
	bool big_endian;
	size_t len, block;
	uint8_t bytes[2048];
};

static void put(struct file *file, uint64_t value, unsigned width)
{
	for (unsigned i = 0; i < width; i++) {
		unsigned shift = 8 * (file->big_endian ? width - 1 - i : i);

		file->bytes[file->len++] = (uint8_t)(value >> shift);
	}
}

static void begin(struct file *file, uint32_t type)
{
	file->block = file->len;
	put(file, type, 4);
	put(file, 0, 4);
}

static void end(struct file *file)
{
	size_t len = file->len - file->block + 4, whole = file->len + 4;

	put(file, len, 4);
	file->len = file->block + 4;
	put(file, len, 4);
	file->len = whole;
}

static void put_section(struct file *file, bool big_endian)
{
	file->big_endian = big_endian;
	begin(file, 0x0a0d0d0a);
	put(file, 0x1a2b3c4d, 4);
	put(file, 1, 2);
	put(file, 0, 2);
	put(file, UINT64_MAX, 8);
	end(file);
}

static void put_interface(
	struct file *file, uint16_t link_type, uint8_t resolution, int64_t offset_s)
{
	begin(file, 1);
	put(file, link_type, 2);
	put(file, 0, 2);
	put(file, 100, 4);
	put(file, 9, 2);
	put(file, 1, 2);
	put(file, resolution, 1);
	put(file, 0, 3);
	put(file, 14, 2);
	put(file, 8, 2);
	put(file, (uint64_t)offset_s, 8);
	put(file, 0, 4);
	end(file);
}

static void put_packet(struct file *file, uint32_t interface, uint64_t at)
{
	begin(file, 6);
	put(file, interface, 4);
	put(file, at >> 32, 4);
	put(file, at & UINT32_MAX, 4);
	put(file, 3, 4);
	put(file, 1500, 4);
	put(file, 0xababab, 3);
	put(file, 0, 1);
	end(file);
}

struct seen {
	unsigned count;
	struct pcapng_packet packets[8];
};

/* 0 at its end, or what was wrong; every block is an exact copy, so that reading one byte
 * too far is seen. */
static int read_file(const struct file *file, struct seen *seen)
{
	struct pcapng reader = {0};
	size_t at = 0;

	*seen = (struct seen){0};
	while (at < file->len) {
		uint8_t *copy;
		uint32_t len;
		int rc;

		if (file->len - at < PCAPNG_HEAD)
			return STATUS_CORRUPT;
		rc = pcapng_block_len(&reader, file->bytes + at, &len);
		if (rc)
			return rc;
		if (len > file->len - at)
			return STATUS_CORRUPT;
		copy = malloc(len);
		memcpy(copy, file->bytes + at, len);
		rc = pcapng_read(&reader, copy, len, &seen->packets[seen->count]);
		free(copy);
		if (rc < 0)
			return rc;
		seen->count += (unsigned)rc;
		at += len;
	}
	return 0;
}

static void each_interface_has_its_link_type_and_its_clock(void **state)
{
	struct seen seen;

	(void)state;
	for (unsigned big_endian = 0; big_endian < 2; big_endian++) {
		struct file file = {0};

		put_section(&file, big_endian);
		put_interface(&file, 1, 6, 0);
		put_interface(&file, 101, 9, 0);
		put_interface(&file, 276, 0x80 | 10, 100);
		put_packet(&file, 1, UINT64_C(3000007999));
		put_packet(&file, 0, 3000007);
		put_packet(&file, 2, 3 * 1024 + 512);
		assert_int_equal(read_file(&file, &seen), 0);
		assert_int_equal(seen.count, 3);
		assert_int_equal(seen.packets[0].link_type, 101);
		assert_int_equal(seen.packets[0].at.us, 3000007);
		assert_int_equal(seen.packets[0].captured, 3);
		assert_int_equal(seen.packets[0].wire_len, 1500);
		assert_int_equal(seen.packets[1].link_type, 1);
		assert_int_equal(seen.packets[1].at.us, 3000007);
		assert_int_equal(seen.packets[2].link_type, 276);
		assert_int_equal(seen.packets[2].at.us, 103500000);
	}
}

static void sections_may_differ_in_byte_order(void **state)
{
	struct file file = {0};
	struct seen seen;

	(void)state;
	put_section(&file, false);
	put_interface(&file, 1, 6, 0);
	put_packet(&file, 0, 1);
	begin(&file, 0x0bad); /* a block that nobody knows */
	put(&file, 7, 4);
	end(&file);
	put_section(&file, true);
	put_interface(&file, 113, 6, 0);
	put_packet(&file, 0, 2);
	assert_int_equal(read_file(&file, &seen), 0);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.packets[0].link_type, 1);
	assert_int_equal(seen.packets[1].link_type, 113);
	assert_int_equal(seen.packets[1].at.us, 2);
}

static void simple_and_old_packets_are_read(void **state)
{
	struct file file = {0};
	struct seen seen;

	(void)state;
	put_section(&file, false);
	put_interface(&file, 1, 6, 0);
	begin(&file, 3);
	put(&file, 1500, 4);
	for (unsigned i = 0; i < 25; i++)
		put(&file, 1, 4); /* a hundred, as its interface keeps */
	end(&file);
	begin(&file, 2);
	put(&file, 0, 2);
	put(&file, 9, 2);
	put(&file, 0, 4);
	put(&file, 5, 4);
	put(&file, 4, 4);
	put(&file, 60, 4);
	put(&file, 1, 4);
	end(&file);
	assert_int_equal(read_file(&file, &seen), 0);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.packets[0].captured, 100);
	assert_int_equal(seen.packets[0].wire_len, 1500);
	assert_int_equal(seen.packets[1].captured, 4);
	assert_int_equal(seen.packets[1].at.us, 5);
}

static void all_short_prefixes_are_refused(void **state)
{
	struct file file = {0}, cut;
	size_t ends[3];
	struct seen seen;

	(void)state;
	put_section(&file, false);
	ends[0] = file.len;
	put_interface(&file, 1, 6, 0);
	ends[1] = file.len;
	put_packet(&file, 0, 1);
	ends[2] = file.len;
	for (size_t len = 1; len <= file.len; len++) {
		bool whole = len == ends[0] || len == ends[1] || len == ends[2];

		cut = file;
		cut.len = len;
		assert_int_equal(read_file(&cut, &seen), whole ? 0 : STATUS_CORRUPT);
	}
}

/* Writes the section and an interface, and has one number of the block behind changed. */
static int read_changed(void (*put_block)(struct file *), size_t at, uint32_t value)
{
	struct file file = {0};
	struct seen seen;
	size_t len;

	put_section(&file, false);
	put_interface(&file, 1, 6, 0);
	put_block(&file);
	len = file.len;
	file.len = file.block + at;
	put(&file, value, 4);
	file.len = len;
	return read_file(&file, &seen);
}

static void put_some_packet(struct file *file)
{
	put_packet(file, 0, 1);
}

static void put_some_section(struct file *file)
{
	put_section(file, false);
}

static void put_some_interface(struct file *file)
{
	put_interface(file, 1, 6, 0);
}

static void what_contradicts_itself_is_refused(void **state)
{
	(void)state;
	assert_int_equal(read_changed(put_some_packet, 8, 0), 0);
	assert_int_equal(
		read_changed(put_some_packet, 8, 1), STATUS_CORRUPT); /* interface */
	assert_int_equal(
		read_changed(put_some_packet, 20, 5), STATUS_CORRUPT); /* captured */
	assert_int_equal(read_changed(put_some_packet, 20, UINT32_MAX), STATUS_CORRUPT);
	assert_int_equal(
		read_changed(put_some_packet, 4, 0), STATUS_CORRUPT); /* length */
	assert_int_equal(read_changed(put_some_packet, 4, 37), STATUS_CORRUPT);
	assert_int_equal(
		read_changed(put_some_packet, 4, PCAPNG_BLOCK_MAX + 4), STATUS_LIMIT);
	assert_int_equal(
		read_changed(put_some_packet, 32, 40), STATUS_CORRUPT); /* again */
	assert_int_equal(
		read_changed(put_some_section, 8, 0), STATUS_CORRUPT); /* order */
	assert_int_equal(read_changed(put_some_section, 12, 2), STATUS_UNSUPPORTED);
	assert_int_equal(read_changed(put_some_interface, 20, 20),
		STATUS_CORRUPT); /* ten to that */
	assert_int_equal(read_changed(put_some_interface, 24, 14 | 200 << 16),
		STATUS_CORRUPT); /* an option longer than its block */
}

static void impossible_times_are_told_as_such(void **state)
{
	struct file file = {0};
	struct seen seen;

	(void)state;
	put_section(&file, false);
	put_interface(&file, 1, 6, -10);
	put_interface(&file, 1, 0, INT64_MAX);
	put_packet(&file, 0, 9000000);
	put_packet(&file, 0, UINT64_MAX);
	put_packet(&file, 1, 1);
	put_packet(&file, 1, UINT64_MAX);
	assert_int_equal(read_file(&file, &seen), 0);
	assert_int_equal(seen.count, 4);
	for (unsigned i = 0; i < seen.count; i++)
		assert_true(seen.packets[i].at.us < 0);
}

static void there_is_a_bound_to_interfaces(void **state)
{
	struct pcapng reader = {0};
	struct file file = {0};
	struct pcapng_packet packet;
	uint32_t len;
	int rc = 0;

	(void)state;
	put_section(&file, false);
	assert_int_equal(pcapng_block_len(&reader, file.bytes, &len), 0);
	assert_int_equal(pcapng_read(&reader, file.bytes, len, &packet), 0);
	file.len = 0;
	put_interface(&file, 1, 6, 0);
	for (unsigned i = 0; i < PCAPNG_INTERFACES; i++)
		rc |= pcapng_read(&reader, file.bytes, (uint32_t)file.len, &packet);
	assert_int_equal(rc, 0);
	assert_int_equal(pcapng_read(&reader, file.bytes, (uint32_t)file.len, &packet),
		STATUS_LIMIT);
}

static void put_statistics(
	struct file *file, uint32_t interface, uint64_t by_card, uint64_t by_system)
{
	begin(file, 5);
	put(file, interface, 4);
	put(file, 0, 8);
	put(file, 4, 2); /* what it received */
	put(file, 8, 2);
	put(file, 1000, 8);
	put(file, 5, 2);
	put(file, 8, 2);
	put(file, by_card, 8);
	put(file, 7, 2);
	put(file, 8, 2);
	put(file, by_system, 8);
	put(file, 0, 4);
	end(file);
}

static uint64_t drops_of(const struct file *file)
{
	struct pcapng reader = {0};
	struct pcapng_packet packet;
	uint32_t len;

	for (size_t at = 0; at < file->len; at += len) {
		assert_int_equal(pcapng_block_len(&reader, file->bytes + at, &len), 0);
		assert_true(pcapng_read(&reader, file->bytes + at, len, &packet) >= 0);
	}
	return pcapng_drops(&reader);
}

static void what_was_dropped_at_the_capture_is_told(void **state)
{
	(void)state;
	for (unsigned big = 0; big < 2; big++) {
		struct file file = {0};

		put_section(&file, big);
		put_interface(&file, 1, 6, 0);
		put_interface(&file, 1, 6, 0);
		put_packet(&file, 0, 5);
		assert_int_equal(drops_of(&file), 0);
		put_statistics(&file, 0, 3, 4);
		put_statistics(&file, 0, 5, 6); /* so far: not besides */
		assert_int_equal(drops_of(&file), 11);
		begin(&file, 6); /* a packet that says how many went before it */
		put(&file, 1, 4);
		put(&file, 0, 8);
		put(&file, 3, 4);
		put(&file, 1500, 4);
		put(&file, 0xababab, 4);
		put(&file, 4, 2);
		put(&file, 8, 2);
		put(&file, 20, 8);
		end(&file);
		assert_int_equal(drops_of(&file), 31);
		put_section(&file, !big); /* numbers begin anew; what was dropped was */
		put_interface(&file, 1, 6, 0);
		begin(&file, 2); /* an old one */
		put(&file, 0, 2);
		put(&file, 7, 2);
		put(&file, 0, 8);
		put(&file, 0, 8);
		end(&file);
		assert_int_equal(drops_of(&file), 38);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_interface_has_its_link_type_and_its_clock),
		cmocka_unit_test(sections_may_differ_in_byte_order),
		cmocka_unit_test(simple_and_old_packets_are_read),
		cmocka_unit_test(all_short_prefixes_are_refused),
		cmocka_unit_test(what_contradicts_itself_is_refused),
		cmocka_unit_test(impossible_times_are_told_as_such),
		cmocka_unit_test(there_is_a_bound_to_interfaces),
		cmocka_unit_test(what_was_dropped_at_the_capture_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "rebuild.h"

#include <errno.h>
#include <stdlib.h>

#include "astray/status.h"
#include "journal_read.h"

struct rebuild {
	const struct rebuild_order *order;
	struct rebuild_result *result;
	struct obs *obs;
};

static void feed_lines(struct rebuild *rebuild, const struct wire_origin *origin,
	const char *lines, size_t len)
{
	const char *at = lines, *end = lines + len, *line;
	bool terminated;

	while ((line = wire_next_line(&at, end, &len, &terminated))) {
		if (wire_decode(rebuild->obs, line, len, NULL)) {
			rebuild->result->unreadable++;
			continue;
		}
		rebuild->order->feed(rebuild->order->arg, origin, rebuild->obs);
		rebuild->result->observations++;
	}
	rebuild->result->batches++;
}

static unsigned percent_of(struct moment from, struct moment at, struct moment end)
{
	int64_t all = moment_since_us(end, from);

	return all <= 0 ? 100
			: (unsigned)((double)moment_since_us(at, from) * 100 /
				     (double)all);
}

static int feed_batches(struct rebuild *rebuild, struct journal_reader *reader,
	struct moment from, struct fault *fault)
{
	const struct rebuild_order *order = rebuild->order;
	struct moment end = journal_read_end(reader);
	struct wire_origin origin;
	const char *lines;
	size_t len;
	int rc;

	while ((rc = journal_read_next(reader, &origin, &lines, &len, fault)) > 0) {
		feed_lines(rebuild, &origin, lines, len);
		if (order->turn &&
			!order->turn(order->arg, percent_of(from, origin.rx, end))) {
			rebuild->result->broken_off = true;
			return 0;
		}
	}
	return rc;
}

int rebuild_newest(const char *file, struct moment *newest, struct fault *fault)
{
	struct journal_reader *reader;
	int rc = journal_read_open(
		&reader, file, (struct moment){0}, (struct moment){MOMENT_MAX_US}, fault);

	if (rc)
		return rc;
	*newest = journal_read_end(reader);
	journal_read_close(reader);
	return 0;
}

/* The first batch that counts: one opening tells where the end is, the next begins there.
 */
static int find_start(
	const struct rebuild_order *order, struct moment *from, struct fault *fault)
{
	int rc;

	if (order->after.us) {
		*from = moment_plus_us(order->after, 1);
		return 0;
	}
	rc = rebuild_newest(order->file, from, fault);
	*from = moment_plus_us(*from, -order->span_us);
	if (from->us < 0)
		from->us = 0;
	return rc;
}

int rebuild_run(const struct rebuild_order *order, struct rebuild_result *out,
	struct fault *fault)
{
	struct rebuild rebuild = {
		.order = order, .result = out, .obs = malloc(sizeof(struct obs))};
	struct journal_reader *reader = NULL;
	struct moment from = {0};
	int rc = rebuild.obs ? find_start(order, &from, fault)
			     : fault_at(fault, -ENOMEM, "", "no memory");

	*out = (struct rebuild_result){0};
	if (rc == 0)
		rc = journal_read_open(&reader, order->file, from,
			(struct moment){MOMENT_MAX_US}, fault);
	if (rc == 0)
		rc = feed_batches(&rebuild, reader, from, fault);
	journal_read_close(reader);
	free(rebuild.obs);
	return rc;
}

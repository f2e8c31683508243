#include "metric_text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOTAL "_total"

struct metric_text {
	FILE *out;
	char *buf;
	size_t len;
	bool openmetrics;
	const char *name; /* of the family at hand; borrowed */
	enum metric_type type;
};

int metric_text_new(struct metric_text **out, bool openmetrics)
{
	struct metric_text *text = calloc(1, sizeof(*text));

	*out = NULL;
	if (!text)
		return -ENOMEM;
	text->openmetrics = openmetrics;
	text->out = open_memstream(&text->buf, &text->len);
	if (!text->out) {
		free(text);
		return -ENOMEM;
	}
	*out = text;
	return 0;
}

char *metric_text_finish(struct metric_text *text, size_t *len)
{
	char *buf;
	bool failed;

	if (text->openmetrics)
		(void)fputs("# EOF\n", text->out);
	failed = ferror(text->out);
	failed |= fclose(text->out) != 0;
	buf = text->buf;
	*len = text->len;
	free(text);
	if (!failed)
		return buf;
	free(buf);
	return NULL;
}

/* Bytes of the UTF-8 character at `at`, 0 where there is none. */
static size_t character(const unsigned char *at)
{
	size_t len = *at < 0x80   ? 1
		     : *at < 0xc2 ? 0
		     : *at < 0xe0 ? 2
		     : *at < 0xf0 ? 3
		     : *at < 0xf5 ? 4
				  : 0;

	for (size_t i = 1; i < len; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static void put_escaped(FILE *out, const char *value)
{
	const unsigned char *at = (const unsigned char *)value;

	while (*at) {
		size_t len = character(at);

		if (*at == '\n')
			(void)fputs("\\n", out);
		else if (*at == '"' || *at == '\\')
			(void)fprintf(out, "\\%c", *at);
		else if (len == 0)
			(void)fputc('?', out);
		else
			(void)fwrite(at, 1, len, out);
		at += len ? len : 1;
	}
}

static void put_number(FILE *out, double value)
{
	if (isnan(value))
		(void)fputs("NaN", out);
	else if (isinf(value))
		(void)fputs(value > 0 ? "+Inf" : "-Inf", out);
	else if (value == floor(value) && fabs(value) < 1e15)
		(void)fprintf(out, "%.0f", value);
	else
		(void)fprintf(out, "%.10g", value);
}

void metric_text_family(struct metric_text *text, const char *name, enum metric_type type,
	const char *help)
{
	static const char *const types[] = {"gauge", "counter", "histogram"};
	size_t len = strlen(name);

	text->name = name;
	text->type = type;
	/* OpenMetrics names the family, of which a counter's sample is the total. */
	if (text->openmetrics && type == METRIC_COUNTER)
		len -= strlen(TOTAL);
	(void)fprintf(text->out, "# HELP %.*s %s\n# TYPE %.*s %s\n", (int)len, name, help,
		(int)len, name, types[type]);
}

static void put_labels(struct metric_text *text, const struct metric_label *labels,
	const char *extra, double bound)
{
	const char *separator = "{";

	for (; labels && labels->name; labels++) {
		(void)fprintf(text->out, "%s%s=\"", separator, labels->name);
		put_escaped(text->out, labels->value);
		(void)fputc('"', text->out);
		separator = ",";
	}
	if (extra) {
		/* OpenMetrics wants "1.0"; the same text does for both. */
		(void)fprintf(text->out, "%s%s=\"", separator, extra);
		if (isfinite(bound) && bound == floor(bound))
			(void)fprintf(text->out, "%.1f", bound);
		else
			put_number(text->out, bound);
		(void)fputc('"', text->out);
		separator = ",";
	}
	if (separator[0] == ',')
		(void)fputc('}', text->out);
}

static void put_sample(struct metric_text *text, const char *suffix,
	const struct metric_label *labels, const char *extra, double bound, double value)
{
	(void)fprintf(text->out, "%s%s", text->name, suffix);
	put_labels(text, labels, extra, bound);
	(void)fputc(' ', text->out);
	put_number(text->out, value);
	(void)fputc('\n', text->out);
}

void metric_text_sample(
	struct metric_text *text, const struct metric_label *labels, double value)
{
	put_sample(text, "", labels, NULL, 0, value);
}

void metric_text_histogram(struct metric_text *text, const struct metric_label *labels,
	const double *bounds, const double *counts, size_t buckets, double total,
	double sum)
{
	for (size_t i = 0; i < buckets; i++)
		put_sample(text, "_bucket", labels, "le", bounds[i], counts[i]);
	put_sample(text, "_bucket", labels, "le", INFINITY, total);
	put_sample(text, "_sum", labels, NULL, 0, sum);
	put_sample(text, "_count", labels, NULL, 0, total);
}

void metric_text_number(struct metric_text *text, const char *name, enum metric_type type,
	const char *help, double value)
{
	metric_text_family(text, name, type, help);
	metric_text_sample(text, NULL, value);
}

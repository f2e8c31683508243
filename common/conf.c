#include "astray/conf.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "astray/moment.h"
#include "astray/status.h"
#include "nearest.h"

/* One value on its way into its target, with what a message needs. */
struct setting {
	const struct json_doc *doc; /* NULL: a default from the table */
	const struct json *value;
	const struct conf_option *option;
	const char *where;
	void *target;
	struct fault *fault;
};

static int refuse(const struct setting *set, int rc, const char *why)
{
	char field[sizeof(set->fault->field)];

	(void)snprintf(field, sizeof(field), "%s%s%s", set->where, *set->where ? "." : "",
		set->option->key);
	rc = fault_at(set->fault, rc, field, "%s", why);
	if (set->fault && set->doc)
		set->fault->line = json_line(set->doc, set->value);
	return rc;
}

static const char *json_type_text(const struct json *value)
{
	switch (json_type(value)) {
	case JSON_NULL:
		return "null";
	case JSON_BOOL:
		return "true or false";
	case JSON_NUMBER:
		return "a number";
	case JSON_TEXT:
		return "a text";
	case JSON_ARRAY:
		return "a list";
	case JSON_OBJECT:
		return "an object";
	}
	return "something else";
}

static int refuse_type(const struct setting *set, const char *wanted)
{
	char why[128];

	(void)snprintf(why, sizeof(why), "should be %s, not %s", wanted,
		json_type_text(set->value));
	return refuse(set, STATUS_SYNTAX, why);
}

static int check_range(const struct setting *set, double value)
{
	char why[128];

	if (value >= set->option->min && value <= set->option->max)
		return 0;
	(void)snprintf(why, sizeof(why), "%.15g is not between %.15g and %.15g", value,
		set->option->min, set->option->max);
	return refuse(set, STATUS_RANGE, why);
}

static int take_int(const struct setting *set)
{
	int64_t value;
	int rc;

	if (!json_as_int(set->value, &value))
		return refuse_type(set, "a whole number");
	rc = check_range(set, (double)value);
	if (rc == 0)
		*(int64_t *)set->target = value;
	return rc;
}

static int take_number(const struct setting *set)
{
	double value;
	int rc;

	if (!json_as_double(set->value, &value))
		return refuse_type(set, "a number");
	rc = check_range(set, value);
	if (rc == 0)
		*(double *)set->target = value;
	return rc;
}

static int take_bool(const struct setting *set)
{
	return json_as_bool(set->value, set->target) ? 0
						     : refuse_type(set, "true or false");
}

static int take_text(const struct setting *set)
{
	const char *text = json_as_text(set->value);
	char why[64];

	if (!text)
		return refuse_type(set, "a text");
	if (strlen(text) >= set->option->size) {
		(void)snprintf(why, sizeof(why), "is longer than %zu bytes",
			set->option->size - 1);
		return refuse(set, STATUS_LIMIT, why);
	}
	(void)snprintf(set->target, set->option->size, "%s", text);
	return 0;
}

/* "10 s", "5 min", "250 ms": a number and a unit. False when it is not one. */
static bool parse_span(const char *text, double *out_us)
{
	static const struct {
		const char *unit;
		double us;
	} units[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"min", 60e6}, {"h", 3600e6},
		{"day", 86400e6}, {"days", 86400e6}};
	char *end;
	double number = strtod(text, &end);

	if (end == text || !isfinite(number) || !isdigit((unsigned char)text[0]))
		return false;
	while (*end == ' ')
		end++;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) == 0) {
			*out_us = number * units[i].us;
			return true;
		}
	}
	return false;
}

static int take_span(const struct setting *set)
{
	const char *text = json_as_text(set->value);
	char low[MOMENT_TEXT], high[MOMENT_TEXT];
	char why[160];
	double us;

	if (json_as_double(set->value, &us))
		us *= 1e6;
	else if (!text || !parse_span(text, &us))
		return refuse_type(
			set, "a time such as \"10 s\", \"5 min\", \"2 h\" or \"1 day\"");
	if (us < set->option->min || us > set->option->max) {
		(void)snprintf(why, sizeof(why), "should be between %s and %s",
			moment_span_text((int64_t)set->option->min, low),
			moment_span_text((int64_t)set->option->max, high));
		return refuse(set, STATUS_RANGE, why);
	}
	*(int64_t *)set->target = (int64_t)llround(us);
	return 0;
}

static int take_texts(const struct setting *set)
{
	struct conf_texts *texts = set->target;
	const struct json *row;
	char why[64];

	if (json_type(set->value) != JSON_ARRAY)
		return refuse_type(set, "a list of texts");
	texts->count = 0;
	for (row = json_first(set->value); row; row = json_next(row)) {
		const char *text = json_as_text(row);

		if (!text || strlen(text) >= CONF_TEXT_MAX)
			return refuse(set, STATUS_SYNTAX,
				"holds something that is not a short text");
		if (texts->count >= set->option->max || texts->count == CONF_TEXTS_MAX) {
			(void)snprintf(why, sizeof(why), "has more than %u entries",
				texts->count);
			return refuse(set, STATUS_LIMIT, why);
		}
		(void)snprintf(texts->text[texts->count++], CONF_TEXT_MAX, "%s", text);
	}
	if (texts->count < set->option->min)
		return refuse(set, STATUS_RANGE, "has too few entries");
	return 0;
}

static int take(const struct setting *set)
{
	switch (set->option->type) {
	case CONF_INT:
		return take_int(set);
	case CONF_NUMBER:
		return take_number(set);
	case CONF_BOOL:
		return take_bool(set);
	case CONF_TEXT:
		return take_text(set);
	case CONF_SPAN:
		return take_span(set);
	case CONF_TEXTS:
		return take_texts(set);
	case CONF_VALUE:
		*(const struct json **)set->target = set->value;
		return 0;
	}
	return STATUS_UNSUPPORTED;
}

static void *target_of(void *into, const struct conf_option *option)
{
	return (char *)into + option->offset;
}

static const char *type_text(const struct conf_option *option)
{
	switch (option->type) {
	case CONF_INT:
		return "whole number";
	case CONF_NUMBER:
		return "number";
	case CONF_BOOL:
		return "true or false";
	case CONF_TEXT:
		return "text";
	case CONF_SPAN:
		return "time";
	case CONF_TEXTS:
		return "list of texts";
	case CONF_VALUE:
		return "section";
	}
	return "";
}

/* A default stands in the table as the file would write it, and goes the same way in. */
static int take_default(void *into, const struct conf_option *option, const char *where,
	struct fault *fault)
{
	struct json_doc *doc;
	struct setting set = {.option = option,
		.where = where,
		.target = target_of(into, option),
		.fault = fault};
	int rc;

	if (!option->fallback)
		return 0;
	rc = json_parse(&doc, option->fallback, strlen(option->fallback), 0, fault);
	if (rc)
		return rc;
	set.value = json_root(doc);
	rc = take(&set);
	json_doc_free(doc);
	return rc;
}

static const struct conf_option *find(const struct conf_option *table, const char *key)
{
	for (; table->key; table++)
		if (strcmp(table->key, key) == 0)
			return table;
	return NULL;
}

const struct conf_option *conf_nearest(const struct conf_option *table, const char *key)
{
	const struct conf_option *near = NULL;
	unsigned best = NEAREST_NONE;

	for (; table->key; table++) {
		unsigned distance = nearest_distance(table->key, key, strlen(key));

		if (distance < best) {
			best = distance;
			near = table;
		}
	}
	return near;
}

static int refuse_unknown(const struct conf_option *table, const struct json_doc *doc,
	const struct json *value, const char *where, struct fault *fault)
{
	const struct conf_option *near = conf_nearest(table, json_key(value));
	struct conf_option named = {.key = json_key(value)};
	struct setting set = {.doc = doc,
		.value = value,
		.option = &named,
		.where = where,
		.fault = fault};
	char why[128];

	if (near)
		(void)snprintf(why, sizeof(why),
			"is not a known key; did you mean \"%s\"?", near->key);
	else
		(void)snprintf(why, sizeof(why), "is not a known key");
	return refuse(&set, STATUS_UNKNOWN, why);
}

int conf_read(void *into, const struct conf_option *table, const struct json_doc *doc,
	const struct json *object, const char *where, struct fault *fault)
{
	const struct json *value;
	int rc;

	for (const struct conf_option *option = table; option->key; option++) {
		rc = take_default(into, option, where, fault);
		if (rc)
			return rc;
	}
	if (json_type(object) != JSON_OBJECT) {
		rc = fault_at(fault, STATUS_SYNTAX, where, "should be an object {…}");
		if (fault)
			fault->line = json_line(doc, object);
		return rc;
	}
	for (value = json_first(object); value; value = json_next(value)) {
		const struct conf_option *option = find(table, json_key(value));
		struct setting set = {.doc = doc,
			.value = value,
			.option = option,
			.where = where,
			.fault = fault};

		if (!option)
			return refuse_unknown(table, doc, value, where, fault);
		set.target = target_of(into, option);
		rc = take(&set);
		if (rc)
			return rc;
	}
	return 0;
}

int conf_read_section(void *into, const struct conf_option *table,
	const struct json_doc *doc, const struct json *section, const char *where,
	struct fault *fault)
{
	struct json_doc *empty = NULL;
	int rc;

	if (section)
		return conf_read(into, table, doc, section, where, fault);
	rc = json_parse(&empty, "{}", 2, 0, fault);
	if (rc == 0)
		rc = conf_read(into, table, empty, json_root(empty), where, fault);
	json_doc_free(empty);
	return rc;
}

int conf_refuse(struct fault *fault, const struct json_doc *doc, const struct json *value,
	int rc, const char *field, const char *why)
{
	rc = fault_at(fault, rc, field, "%s", why);
	if (fault && value)
		fault->line = json_line(doc, value);
	return rc;
}

void conf_describe(FILE *out, const struct conf_option *table)
{
	for (; table->key; table++) {
		(void)fprintf(out, "  %s (%s", table->key, type_text(table));
		if (table->fallback)
			(void)fprintf(out, ", default %s", table->fallback);
		(void)fprintf(out, ")\n      %s\n", table->help);
	}
}

#include "wire_fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "astray/status.h"

#define PATH_BYTES 96

struct wire_fields wire_fields_over(const struct json *object, struct fault *fault)
{
	return (struct wire_fields){
		.object = object, .row = WIRE_FIELDS_NO_ROW, .fault = fault};
}

struct wire_fields wire_fields_enter(
	struct wire_fields *outer, const struct json *object, const char *key, int row)
{
	struct wire_fields inner = {.object = object,
		.outer = outer,
		.key = key,
		.row = row,
		.fault = outer->fault,
		.rc = outer->rc};

	if (!inner.rc && json_type(object) != JSON_OBJECT)
		wire_fields_refuse(&inner, STATUS_SYNTAX, "", "should be an object");
	return inner;
}

void wire_fields_leave(struct wire_fields *inner)
{
	inner->outer->rc = inner->rc;
}

/* Appends "hops[3]" or "place", with a dot before it where something stands already. */
static void put_step(char *path, const char *key, int row)
{
	size_t used = strlen(path);
	const char *dot = used && *key ? "." : "";

	if (row == WIRE_FIELDS_NO_ROW)
		(void)snprintf(path + used, PATH_BYTES - used, "%s%s", dot, key);
	else
		(void)snprintf(path + used, PATH_BYTES - used, "%s%s[%d]", dot, key, row);
}

/* Inner objects are few deep, for each stands for a reader that called the next. */
static void put_path(char *path, const struct wire_fields *fields)
{
	if (!fields->outer)
		return;
	put_path(path, fields->outer);
	put_step(path, fields->key, fields->row);
}

void wire_fields_refuse_row(
	struct wire_fields *fields, int rc, const char *key, int row, const char *why)
{
	char path[PATH_BYTES] = "";

	if (fields->rc)
		return;
	put_path(path, fields);
	put_step(path, key, row);
	fields->rc = fault_at(fields->fault, rc, path, "%s", why);
}

void wire_fields_refuse(
	struct wire_fields *fields, int rc, const char *key, const char *why)
{
	wire_fields_refuse_row(fields, rc, key, WIRE_FIELDS_NO_ROW, why);
}

static const char *wanted_text(enum json_type type)
{
	switch (type) {
	case JSON_BOOL:
		return "should be true or false";
	case JSON_NUMBER:
		return "should be a number";
	case JSON_TEXT:
		return "should be a text";
	case JSON_ARRAY:
		return "should be a list";
	case JSON_OBJECT:
	case JSON_NULL:
		break;
	}
	return "should be an object";
}

const struct json *wire_fields_take(struct wire_fields *fields, const char *key,
	enum json_type type, enum wire_need need)
{
	const struct json *value;

	if (fields->rc)
		return NULL;
	value = json_member(fields->object, key);
	if (!value || json_type(value) == JSON_NULL) {
		if (need == WIRE_REQUIRED)
			wire_fields_refuse(fields, STATUS_MISSING, key, "is missing");
		return NULL;
	}
	if (json_type(value) != type) {
		wire_fields_refuse(fields, STATUS_SYNTAX, key, wanted_text(type));
		return NULL;
	}
	return value;
}

void wire_fields_int(struct wire_fields *fields, const char *key, enum wire_need need,
	int64_t min, int64_t max, int64_t *out)
{
	const struct json *value = wire_fields_take(fields, key, JSON_NUMBER, need);
	char why[96];
	int64_t number;

	if (!value)
		return;
	if (!json_as_int(value, &number)) {
		wire_fields_refuse(
			fields, STATUS_RANGE, key, "is not a whole number below 2^53");
	} else if (number < min || number > max) {
		(void)snprintf(why, sizeof(why),
			"%" PRId64 " is not between %" PRId64 " and %" PRId64, number,
			min, max);
		wire_fields_refuse(fields, STATUS_RANGE, key, why);
	} else {
		*out = number;
	}
}

void wire_fields_double(struct wire_fields *fields, const char *key, enum wire_need need,
	double min, double max, double *out)
{
	const struct json *value = wire_fields_take(fields, key, JSON_NUMBER, need);
	char why[96];
	double number;

	if (!value)
		return;
	if (!json_as_double(value, &number) || number < min || number > max) {
		(void)snprintf(
			why, sizeof(why), "is not between %.15g and %.15g", min, max);
		wire_fields_refuse(fields, STATUS_RANGE, key, why);
		return;
	}
	*out = number;
}

void wire_fields_bool(
	struct wire_fields *fields, const char *key, enum wire_need need, bool *out)
{
	(void)json_as_bool(wire_fields_take(fields, key, JSON_BOOL, need), out);
}

static void copy_text(struct wire_fields *fields, const char *key, const char *text,
	char *out, size_t cap)
{
	size_t len = strlen(text);
	char why[64];

	if (len < cap) {
		memcpy(out, text, len + 1);
		return;
	}
	(void)snprintf(why, sizeof(why), "is longer than %zu bytes", cap - 1);
	wire_fields_refuse(fields, STATUS_RANGE, key, why);
}

void wire_fields_text(struct wire_fields *fields, const char *key, enum wire_need need,
	char *out, size_t cap)
{
	const char *text = json_as_text(wire_fields_take(fields, key, JSON_TEXT, need));

	if (text)
		copy_text(fields, key, text, out, cap);
}

void wire_fields_word(struct wire_fields *fields, const char *key, enum wire_need need,
	char *out, size_t cap, bool (*valid)(const char *), const char *why)
{
	const char *text = json_as_text(wire_fields_take(fields, key, JSON_TEXT, need));

	if (text && !valid(text))
		wire_fields_refuse(fields, STATUS_RANGE, key, why);
	else if (text)
		copy_text(fields, key, text, out, cap);
}

void wire_fields_choice(struct wire_fields *fields, const char *key, enum wire_need need,
	const char *(*text_of)(int), int count, int *out)
{
	const char *text = json_as_text(wire_fields_take(fields, key, JSON_TEXT, need));

	if (!text)
		return;
	for (int i = 0; i < count; i++) {
		if (strcmp(text_of(i), text) == 0) {
			*out = i;
			return;
		}
	}
	wire_fields_refuse(fields, STATUS_RANGE, key, "is none of the known words");
}

void wire_fields_moment(struct wire_fields *fields, const char *key, enum wire_need need,
	struct moment *out)
{
	wire_fields_int(fields, key, need, 0, MOMENT_MAX_US, &out->us);
}

/* What a moment has beyond its whole second, also before 1970. */
static int64_t floor_fraction(int64_t us)
{
	int64_t fraction_us = us % MOMENT_SECOND_US;

	return fraction_us < 0 ? fraction_us + MOMENT_SECOND_US : fraction_us;
}

void wire_fields_date(struct wire_fields *fields, const char *key, enum wire_need need,
	struct moment *out)
{
	const char *text = json_as_text(wire_fields_take(fields, key, JSON_TEXT, need));
	struct moment at;

	if (!text)
		return;
	if (!strchr(text, '-') || moment_parse(&at, text))
		wire_fields_refuse(fields, STATUS_RANGE, key,
			"is not a date such as \"2020-05-31T00:05:00Z\"");
	else
		out->us = at.us - floor_fraction(at.us);
}

void wire_fields_address(struct wire_fields *fields, const char *key, enum wire_need need,
	struct address *out)
{
	const char *text = json_as_text(wire_fields_take(fields, key, JSON_TEXT, need));

	if (text && address_parse(out, text))
		wire_fields_refuse(fields, STATUS_RANGE, key, "is not an IP address");
}

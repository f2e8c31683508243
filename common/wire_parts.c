#include "wire_parts.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "astray/status.h"
#include "astray/wire.h"

#define COUNTS_MAX 4096 /* buckets of one sketch; a line of more is no sketch */
#define SUM_MAX 1e32    /* the largest count of the largest durations */
#define SERVICE_WHY "is not a service's name"

static bool is_service_or_all(const char *text)
{
	return strcmp(text, "*") == 0 || wire_service_is_valid(text);
}

void wire_parts_service(struct wire_fields *fields, bool all, char out[static OBS_NAME])
{
	wire_fields_word(fields, "service", WIRE_REQUIRED, out, OBS_NAME,
		all ? is_service_or_all : wire_service_is_valid, SERVICE_WHY);
}

/* The root alone is ".". What else a name may hold is the name system's business. */
bool wire_parts_name_is_valid(const char *text)
{
	size_t len = strlen(text);

	if (strcmp(text, ".") == 0)
		return true;
	if (len == 0 || len > 253 || text[len - 1] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' || isupper((unsigned char)text[i]))
			return false;
	return true;
}

void wire_parts_name(
	struct wire_fields *fields, const char *key, char out[static OBS_NAME])
{
	wire_fields_word(fields, key, WIRE_REQUIRED, out, OBS_NAME,
		wire_parts_name_is_valid,
		"is not a lower-case name without a trailing dot");
}

void wire_parts_count(struct wire_fields *fields, const char *key, int64_t *out)
{
	wire_fields_int(fields, key, WIRE_OPTIONAL, 0, WIRE_PARTS_INT_MAX, out);
}

static bool is_country(const char *text)
{
	return isupper((unsigned char)text[0]) && isupper((unsigned char)text[1]) &&
	       !text[2];
}

void wire_parts_country(struct wire_fields *fields, char out[static 3])
{
	wire_fields_word(fields, "country", WIRE_OPTIONAL, out, 3, is_country,
		"is not a country code such as \"JP\"");
}

void wire_parts_asn(struct wire_fields *fields, uint32_t *out)
{
	int64_t asn = *out;

	wire_fields_int(fields, "asn", WIRE_OPTIONAL, 0, UINT32_MAX, &asn);
	*out = (uint32_t)asn;
}

const char *wire_parts_source_word(int source)
{
	static const char *const words[] = {
		[PLACE_SOURCE_NONE] = "",
		[PLACE_SOURCE_MMDB] = "mmdb",
		[PLACE_SOURCE_RDNS] = "rdns",
		[PLACE_SOURCE_ANYCAST] = "anycast",
	};

	return words[source];
}

const char *wire_parts_verdict_word(int verdict)
{
	static const char *const words[] = {
		[PLACE_UNKNOWN] = "unknown",
		[PLACE_POSSIBLE] = "possible",
		[PLACE_IMPOSSIBLE] = "impossible",
	};

	return words[verdict];
}

static void read_coordinates(struct wire_fields *fields, struct place *place)
{
	double latitude = NAN, longitude = NAN;

	wire_fields_double(fields, "latitude", WIRE_OPTIONAL, -90, 90, &latitude);
	wire_fields_double(fields, "longitude", WIRE_OPTIONAL, -180, 180, &longitude);
	place->located = !isnan(latitude) && !isnan(longitude);
	if (place->located) {
		place->latitude = latitude;
		place->longitude = longitude;
	}
}

static void read_place(struct wire_fields *fields, struct place *place)
{
	int source = PLACE_SOURCE_NONE, verdict = PLACE_UNKNOWN;

	wire_parts_country(fields, place->country);
	wire_fields_text(fields, "city", WIRE_OPTIONAL, place->city, sizeof(place->city));
	wire_fields_text(fields, "org", WIRE_OPTIONAL, place->org, sizeof(place->org));
	read_coordinates(fields, place);
	wire_parts_asn(fields, &place->asn);
	wire_fields_choice(fields, "source", WIRE_OPTIONAL, wire_parts_source_word,
		PLACE_SOURCE_ANYCAST + 1, &source);
	wire_fields_choice(fields, "verdict", WIRE_OPTIONAL, wire_parts_verdict_word,
		PLACE_IMPOSSIBLE + 1, &verdict);
	place->source = (enum place_source)source;
	place->verdict = (enum place_verdict)verdict;
	if (!place_is_known(
		    place)) /* a city without a country or a source says nothing */
		*place = (struct place){0};
}

void wire_parts_place(struct wire_fields *fields, struct place *place)
{
	const struct json *object =
		wire_fields_take(fields, "place", JSON_OBJECT, WIRE_OPTIONAL);
	struct wire_fields inner;

	if (!object)
		return;
	inner = wire_fields_enter(fields, object, "place", WIRE_FIELDS_NO_ROW);
	read_place(&inner, place);
	wire_fields_leave(&inner);
}

static unsigned take_counts(
	struct wire_fields *fields, uint64_t counts[static COUNTS_MAX])
{
	const struct json *list =
		wire_fields_take(fields, "counts", JSON_ARRAY, WIRE_REQUIRED);
	unsigned len = 0;

	for (const struct json *item = json_first(list); item; item = json_next(item)) {
		int64_t count;

		if (len == COUNTS_MAX) {
			wire_fields_refuse(
				fields, STATUS_LIMIT, "counts", "has too many entries");
			return 0;
		}
		if (!json_as_int(item, &count) || count < 0) {
			wire_fields_refuse_row(fields, STATUS_RANGE, "counts", (int)len,
				"is not a whole number from 0 up");
			return 0;
		}
		counts[len++] = (uint64_t)count;
	}
	return len;
}

static void read_sketch(struct wire_fields *fields, struct sketch *sketch)
{
	uint64_t counts[COUNTS_MAX];
	int64_t scale = 0, offset = 0, zeros = 0;
	double sum = 0, min = 0, max = 0;
	enum wire_need need;
	unsigned len;

	wire_fields_int(fields, "scale", WIRE_REQUIRED, SKETCH_SCALE_MIN,
		SKETCH_SCALE_MAX, &scale);
	wire_fields_int(fields, "offset", WIRE_REQUIRED, INT32_MIN, INT32_MAX, &offset);
	len = take_counts(fields, counts);
	wire_parts_count(fields, "zeros", &zeros);
	need = len ? WIRE_REQUIRED : WIRE_OPTIONAL;
	wire_fields_double(fields, "sum", need, 0, SUM_MAX, &sum);
	wire_fields_double(fields, "min", need, 0, SKETCH_VALUE_MAX, &min);
	wire_fields_double(fields, "max", need, 0, SKETCH_VALUE_MAX, &max);
	if (!fields->rc && sketch_load(sketch, (int)scale, offset, counts, len,
				   (uint64_t)zeros, sum, min, max))
		wire_fields_refuse(fields, STATUS_RANGE, "",
			"holds counts and sums that do not belong together");
}

void wire_parts_sketch(struct wire_fields *fields, const char *key, struct sketch *sketch)
{
	const struct json *object =
		wire_fields_take(fields, key, JSON_OBJECT, WIRE_OPTIONAL);
	struct wire_fields inner;

	if (!object)
		return;
	inner = wire_fields_enter(fields, object, key, WIRE_FIELDS_NO_ROW);
	read_sketch(&inner, sketch);
	wire_fields_leave(&inner);
}

void wire_parts_texts(struct wire_fields *fields, const char *key, char *rows, size_t cap,
	unsigned max, bool (*valid)(const char *), unsigned *count)
{
	const struct json *list =
		wire_fields_take(fields, key, JSON_ARRAY, WIRE_OPTIONAL);

	for (const struct json *item = json_first(list); item; item = json_next(item)) {
		const char *text = json_as_text(item);

		if (*count == max) {
			wire_fields_refuse(
				fields, STATUS_LIMIT, key, "has too many entries");
			return;
		}
		if (!text || strlen(text) >= cap || (valid && !valid(text))) {
			wire_fields_refuse_row(fields, STATUS_RANGE, key, (int)*count,
				"is not a text of the kind that belongs here");
			return;
		}
		memcpy(rows + (*count)++ * cap, text, strlen(text) + 1);
	}
}

void wire_parts_rows(struct wire_fields *fields, const char *key, enum wire_need need,
	unsigned max, unsigned *count, wire_parts_row_fn read, void *arg)
{
	const struct json *list = wire_fields_take(fields, key, JSON_ARRAY, need);

	for (const struct json *item = json_first(list); item && !fields->rc;
		item = json_next(item)) {
		struct wire_fields row;

		if (*count == max) {
			wire_fields_refuse(
				fields, STATUS_LIMIT, key, "has too many entries");
			return;
		}
		row = wire_fields_enter(fields, item, key, (int)*count);
		read(&row, arg, (*count)++);
		wire_fields_leave(&row);
	}
}

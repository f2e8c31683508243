#include "geo.h"

#include <ctype.h>
#include <errno.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "anycast.h"
#include "astray/status.h"
#include "geo_tables.h"
#include "router_names.h"

/* One database file. What identified the file that was tried last, good or bad, tells
 * whether it was replaced: a bad one is tried, and complained of, once. */
struct base {
	char *path; /* NULL: not configured */
	MMDB_s mmdb;
	bool open;
	dev_t device;
	ino_t inode;
	struct timespec modified;
};

struct geo {
	struct base city, asn;
	struct anycast *anycast;
	struct router_names *names;
};

static bool is_replaced(const struct base *base, const struct stat *st)
{
	return base->device != st->st_dev || base->inode != st->st_ino ||
	       base->modified.tv_sec != st->st_mtim.tv_sec ||
	       base->modified.tv_nsec != st->st_mtim.tv_nsec;
}

static int refuse(const struct base *base, struct fault *fault, int rc, const char *why)
{
	rc = fault_at(fault, rc, "", "%s", why);
	if (fault)
		(void)snprintf(fault->input, sizeof(fault->input), "%s", base->path);
	return rc;
}

/* Opens what stands at the path now; the old one is only given up when that went well. */
/* Opens what stands at the path now; the old one is only given up when that went well. */
static int base_open(struct base *base, const struct stat *st, struct fault *fault)
{
	MMDB_s fresh;
	int state;

	base->device = st->st_dev;
	base->inode = st->st_ino;
	base->modified = st->st_mtim;
	if (!S_ISREG(st->st_mode))
		return refuse(base, fault, -EISDIR, "is not a file");
	state = MMDB_open(base->path, MMDB_MODE_MMAP, &fresh);
	if (state == MMDB_OUT_OF_MEMORY_ERROR)
		return refuse(base, fault, -ENOMEM, "no memory is left for it");
	if (state != MMDB_SUCCESS)
		return refuse(base, fault, STATUS_CORRUPT, MMDB_strerror(state));
	if (base->open)
		MMDB_close(&base->mmdb);
	base->mmdb = fresh;
	base->open = true;
	return 0;
}

static int base_refresh(struct base *base, struct fault *fault)
{
	struct stat st;
	int rc;

	if (!base->path)
		return 0;
	if (stat(base->path, &st))
		return refuse(base, fault, -errno, strerrordesc_np(errno));
	if (!is_replaced(base, &st))
		return 0;
	rc = base_open(base, &st, fault);
	return rc ? rc : 1;
}

static int base_name(struct base *base, const char *path)
{
	if (!path || !*path)
		return 0;
	base->path = strdup(path);
	return base->path ? 0 : -ENOMEM;
}

int geo_open(struct geo **out, const char *city_file, const char *asn_file,
	struct fault *fault)
{
	struct geo *geo = calloc(1, sizeof(*geo));
	int rc = -ENOMEM;

	*out = NULL;
	if (!geo || base_name(&geo->city, city_file) || base_name(&geo->asn, asn_file))
		goto fail;
	rc = anycast_new(&geo->anycast, geo_tables_anycast, fault);
	if (rc == 0)
		rc = router_names_new(
			&geo->names, geo_tables_places, geo_tables_rules, fault);
	if (rc == 0)
		rc = base_refresh(&geo->city, fault);
	if (rc >= 0)
		rc = base_refresh(&geo->asn, fault);
	if (rc < 0)
		goto fail;
	*out = geo;
	return 0;

fail:
	geo_close(geo);
	return rc;
}

static void base_close(struct base *base)
{
	if (base->open)
		MMDB_close(&base->mmdb);
	free(base->path);
}

void geo_close(struct geo *geo)
{
	if (!geo)
		return;
	base_close(&geo->city);
	base_close(&geo->asn);
	anycast_free(geo->anycast);
	router_names_free(geo->names);
	free(geo);
}

static bool is_of(const struct base *base, const char *maker)
{
	return base->open &&
	       strncasecmp(base->mmdb.metadata.database_type, maker, strlen(maker)) == 0;
}

const char *geo_credit(const struct geo *geo)
{
	return geo && (is_of(&geo->city, "DBIP") || is_of(&geo->asn, "DBIP"))
		       ? "IP Geolocation by DB-IP"
		       : "";
}

int geo_refresh(struct geo *geo, struct fault *fault)
{
	int city, asn;

	if (!geo)
		return 0;
	city = base_refresh(&geo->city, fault);
	asn = base_refresh(&geo->asn, city < 0 ? NULL : fault);
	if (city < 0 || asn < 0)
		return city < 0 ? city : asn;
	return city || asn;
}

static bool find_entry(
	const struct base *base, const struct address *address, MMDB_entry_s *entry)
{
	struct sockaddr_storage storage;
	MMDB_lookup_result_s found;
	int state;

	if (!base->open || !address_to_sockaddr(address, 0, &storage))
		return false;
	found = MMDB_lookup_sockaddr(&base->mmdb, (struct sockaddr *)&storage, &state);
	*entry = found.entry;
	return state == MMDB_SUCCESS && found.found_entry;
}

/* The value at a path of keys, of the wanted type. */
static bool get(MMDB_entry_s *entry, const char *const *path, uint32_t type,
	MMDB_entry_data_s *data)
{
	return MMDB_aget_value(entry, data, path) == MMDB_SUCCESS && data->has_data &&
	       data->type == type;
}

static bool get_text(MMDB_entry_s *entry, const char *const *path, char *out, size_t cap)
{
	MMDB_entry_data_s data;
	size_t len;

	if (out[0] || !get(entry, path, MMDB_DATA_TYPE_UTF8_STRING, &data))
		return false;
	len = data.data_size < cap ? data.data_size : cap - 1;
	if (memchr(data.utf8_string, '\0', len))
		return false;
	memcpy(out, data.utf8_string, len);
	out[len] = '\0';
	return true;
}

static bool get_number(MMDB_entry_s *entry, const char *const *path, double *out)
{
	MMDB_entry_data_s data;

	if (get(entry, path, MMDB_DATA_TYPE_DOUBLE, &data))
		*out = data.double_value;
	else if (get(entry, path, MMDB_DATA_TYPE_FLOAT, &data))
		*out = (double)data.float_value;
	else
		return false;
	return true;
}

#define PATH(...) ((const char *const[]){__VA_ARGS__, NULL})

static void take_country(MMDB_entry_s *entry, struct place *place)
{
	char code[8] = "";

	if (!get_text(entry, PATH("country", "iso_code"), code, sizeof(code)) &&
		!get_text(entry, PATH("country_code"), code, sizeof(code)))
		(void)get_text(entry, PATH("registered_country", "iso_code"), code,
			sizeof(code));
	if (isupper((unsigned char)code[0]) && isupper((unsigned char)code[1]) &&
		!code[2])
		memcpy(place->country, code, sizeof(place->country));
}

static void take_coordinates(MMDB_entry_s *entry, struct place *place)
{
	double latitude, longitude;

	if (!(get_number(entry, PATH("location", "latitude"), &latitude) &&
		    get_number(entry, PATH("location", "longitude"), &longitude)) &&
		!(get_number(entry, PATH("latitude"), &latitude) &&
			get_number(entry, PATH("longitude"), &longitude)))
		return;
	if (!(latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180))
		return;
	place->latitude = latitude;
	place->longitude = longitude;
	place->located = true;
}

static void take_city(MMDB_entry_s *entry, struct place *place)
{
	take_country(entry, place);
	if (!get_text(
		    entry, PATH("city", "names", "en"), place->city, sizeof(place->city)))
		(void)get_text(entry, PATH("city"), place->city, sizeof(place->city));
	take_coordinates(entry, place);
}

/* "AS174"; 0 for anything else. */
static uint32_t parse_asn(const char *text)
{
	unsigned long long asn;
	char *end;

	if (strncmp(text, "AS", 2) != 0 || !isdigit((unsigned char)text[2]))
		return 0;
	asn = strtoull(text + 2, &end, 10);
	return *end || asn > UINT32_MAX ? 0 : (uint32_t)asn;
}

static void take_asn(MMDB_entry_s *entry, struct place *place)
{
	MMDB_entry_data_s data;
	char text[16] = "";

	if (get(entry, PATH("autonomous_system_number"), MMDB_DATA_TYPE_UINT32, &data) ||
		get(entry, PATH("asn"), MMDB_DATA_TYPE_UINT32, &data))
		place->asn = data.uint32;
	else if (get_text(entry, PATH("asn"), text, sizeof(text)))
		place->asn = parse_asn(text);
	if (!get_text(entry, PATH("autonomous_system_organization"), place->org,
		    sizeof(place->org)))
		(void)get_text(entry, PATH("as_name"), place->org, sizeof(place->org));
}

/* Where it stands is not to be had; whose it is stays. */
static void blur(struct place *place, const char *owner)
{
	place->country[0] = place->city[0] = '\0';
	place->located = false;
	place->latitude = place->longitude = 0;
	place->source = PLACE_SOURCE_ANYCAST;
	if (!place->org[0])
		(void)snprintf(place->org, sizeof(place->org), "%s", owner);
}

bool geo_place(const struct geo *geo, const struct address *address, struct place *out)
{
	MMDB_entry_s entry;
	const char *owner;

	*out = (struct place){0};
	if (!geo || address_is_private(address))
		return false;
	if (find_entry(&geo->asn, address, &entry))
		take_asn(&entry, out);
	if (find_entry(&geo->city, address, &entry)) {
		take_city(&entry, out);
		if (!out->asn) /* some files hold both */
			take_asn(&entry, out);
	}
	owner = anycast_owner(geo->anycast, address);
	if (owner) {
		blur(out, owner);
		return true;
	}
	if (!place_is_known(out) && !out->located)
		return false;
	out->source = PLACE_SOURCE_MMDB;
	return true;
}

bool geo_place_by_name(const struct geo *geo, const char *name, struct place *place)
{
	if (!geo || (place->source == PLACE_SOURCE_ANYCAST && !place->asn))
		return false;
	return router_names_place(geo->names, name, place->asn, place);
}

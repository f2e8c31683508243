#include "astray/json.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"
#include "json_scan.h"
#include "json_value.h"
#include "printable.h"

#define KEYS_FEW 32 /* up to here comparing each with each is quicker than sorting */
#define EXACT_MAX 9007199254740992.0 /* 2^53: doubles count by ones up to here */

/* struct json is the library's node under another name; only this file knows. */
struct json_doc {
	cJSON *root; /* and all nodes, then all texts, in one piece of memory */
	char *text;  /* comments blanked, for finding lines */
	size_t len;
};

static const cJSON *node(const struct json *value)
{
	return (const cJSON *)value;
}

static cJSON *tree(struct json *value)
{
	return (cJSON *)value;
}

static unsigned line_at(const char *text, size_t at)
{
	unsigned line = 1;

	for (size_t i = 0; i < at; i++)
		line += text[i] == '\n';
	return line;
}

static int by_key(const void *a, const void *b)
{
	const cJSON *const *left = a, *const *right = b;

	return strcmp((*left)->string, (*right)->string);
}

/* Sorts what is too large to compare each with each: a hostile object is as long as a
 * line. */
static int repeated_among_many(const cJSON **out, const cJSON *object, size_t count)
{
	const cJSON **sorted = malloc(count * sizeof(const cJSON *));
	size_t i = 0;

	if (!sorted)
		return -ENOMEM;
	for (const cJSON *item = object->child; item; item = item->next)
		sorted[i++] = item;
	qsort(sorted, count, sizeof(const cJSON *), by_key);
	for (i = 1; i < count && !*out; i++)
		if (by_key(&sorted[i - 1], &sorted[i]) == 0)
			*out = sorted[i];
	free(sorted);
	return 0;
}

/* Keys differ at their beginning mostly: that is looked at before a function is called.
 */
static bool is_same(const char *a, const char *b)
{
	return a[0] == b[0] && (!a[0] || a[1] == b[1]) && strcmp(a, b) == 0;
}

static const cJSON *repeated_among_few(const cJSON *object)
{
	for (const cJSON *item = object->child; item; item = item->next)
		for (const cJSON *other = object->child; other != item;
			other = other->next)
			if (is_same(other->string, item->string))
				return item;
	return NULL;
}

/* Finds a repeated key at any depth, which the scan has bounded; *out stays NULL without.
 */
static int find_repeated(const cJSON **out, const cJSON *container)
{
	size_t count = 0;
	int rc = 0;

	for (const cJSON *item = container->child; item && rc == 0; item = item->next) {
		count++;
		if (item->child)
			rc = find_repeated(out, item);
	}
	if (rc || *out || !cJSON_IsObject(container))
		return rc;
	if (count > KEYS_FEW)
		return repeated_among_many(out, container, count);
	*out = repeated_among_few(container);
	return 0;
}

static int refuse_text(
	struct json_doc *doc, int rc, const struct json_scan *scan, struct fault *fault)
{
	(void)fault_at(fault, rc, "", "JSON %s", scan->why);
	if (fault)
		fault->line = line_at(doc->text, scan->at);
	return rc;
}

/* Makes the library's nodes of text that the scan has found strict. Its own reader takes
 * memory for each value anew, and was most of the time that a replay took. */
struct builder {
	const char *at;
	cJSON *free_node;
	char *free_text;
};

static void skip_space(struct builder *build)
{
	while (*build->at == ' ' || *build->at == '\t' || *build->at == '\n' ||
		*build->at == '\r')
		build->at++;
}

static cJSON *build_word(struct builder *build, cJSON *value)
{
	value->type = *build->at == 't'   ? cJSON_True
		      : *build->at == 'f' ? cJSON_False
					  : cJSON_NULL;
	build->at += value->type == cJSON_False ? strlen("false") : strlen("true");
	return value;
}

static void build_inside(struct builder *build, cJSON *container, char end);

static cJSON *build_value(struct builder *build)
{
	cJSON *value = build->free_node++;

	*value = (cJSON){0};
	if (*build->at == '{' || *build->at == '[') {
		value->type = *build->at == '{' ? cJSON_Object : cJSON_Array;
		build_inside(build, value, (char)(*build->at + 2)); /* '}' or ']' */
	} else if (*build->at == '"') {
		value->type = cJSON_String;
		value->valuestring = json_value_text(&build->at, &build->free_text);
	} else if (*build->at == '-' || (*build->at >= '0' && *build->at <= '9')) {
		value->type = cJSON_Number;
		value->valuedouble = json_value_number(&build->at);
	} else {
		return build_word(build, value);
	}
	return value;
}

/* Calls itself through build_value, as deep as the scan has allowed. */
static void build_inside(struct builder *build, cJSON *container, char end)
{
	cJSON **next = &container->child;

	build->at++;
	skip_space(build);
	while (*build->at != end) {
		char *key = NULL;

		if (end == '}') {
			key = json_value_text(&build->at, &build->free_text);
			skip_space(build);
			build->at++; /* the colon */
			skip_space(build);
		}
		*next = build_value(build);
		(*next)->string = key;
		next = &(*next)->next;
		skip_space(build);
		if (*build->at == ',') {
			build->at++;
			skip_space(build);
		}
	}
	build->at++;
}

static void build_all(struct json_doc *doc, size_t values)
{
	struct builder build = {.at = doc->text,
		.free_node = doc->root,
		.free_text = (char *)(doc->root + values)};

	skip_space(&build);
	(void)build_value(&build);
}

static int fill(struct json_doc *doc, struct fault *fault)
{
	struct json_scan scan;
	const cJSON *twice = NULL;
	int rc = json_scan(&scan, doc->text, doc->len, 0);

	if (rc)
		return refuse_text(doc, rc, &scan, fault);
	doc->root = malloc(scan.values * sizeof(*doc->root) + doc->len + 1);
	if (!doc->root)
		return -ENOMEM;
	build_all(doc, scan.values);
	rc = find_repeated(&twice, doc->root);
	if (twice) {
		rc = fault_at(fault, STATUS_DUPLICATE, twice->string, "stands twice");
		if (fault)
			fault->line = json_line(doc, (const struct json *)twice);
	}
	return rc;
}

int json_parse(struct json_doc **out, const char *text, size_t len, unsigned flags,
	struct fault *fault)
{
	struct json_doc *doc = calloc(1, sizeof(*doc));
	int rc = -ENOMEM;

	*out = NULL;
	if (!doc)
		return rc;
	doc->len = len;
	doc->text = malloc(len + 1);
	if (!doc->text)
		goto fail;
	memcpy(doc->text, text, len);
	doc->text[len] = '\0';
	if (flags & JSON_COMMENTS)
		json_scan_blank_comments(doc->text, len);
	rc = fill(doc, fault);
	if (rc)
		goto fail;
	*out = doc;
	return 0;

fail:
	json_doc_free(doc);
	return rc;
}

static int read_file(
	char **out, size_t *out_len, const char *path, size_t limit, struct fault *fault)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t len = 0;
	int rc = 0;

	if (!file)
		return fault_at(fault, -errno, "", "cannot be opened: %s",
			strerrordesc_np(errno));
	text = malloc(limit + 1);
	if (!text) {
		rc = -ENOMEM;
		goto done;
	}
	len = fread(text, 1, limit + 1, file);
	if (ferror(file))
		rc = fault_at(
			fault, -errno, "", "cannot be read: %s", strerrordesc_np(errno));
	else if (len > limit)
		rc = fault_at(fault, STATUS_LIMIT, "", "is larger than %zu bytes", limit);
done:
	(void)fclose(file);
	if (rc) {
		free(text);
		return rc;
	}
	*out = text;
	*out_len = len;
	return 0;
}

int json_parse_file(struct json_doc **out, const char *path, size_t limit, unsigned flags,
	struct fault *fault)
{
	char *text = NULL;
	size_t len = 0;
	int rc;

	*out = NULL;
	rc = read_file(&text, &len, path, limit, fault);
	if (rc == 0)
		rc = json_parse(out, text, len, flags, fault);
	if (fault)
		(void)snprintf(fault->input, sizeof(fault->input), "%s", path);
	free(text);
	return rc;
}

void json_doc_free(struct json_doc *doc)
{
	if (!doc)
		return;
	free(doc->root);
	free(doc->text);
	free(doc);
}

const struct json *json_root(const struct json_doc *doc)
{
	return (const struct json *)doc->root;
}

/* Counts values in document order up to `value`; true when it was met. */
static bool ordinal(const cJSON *from, const cJSON *value, size_t *count)
{
	(*count)++;
	if (from == value)
		return true;
	for (const cJSON *item = from->child; item; item = item->next)
		if (ordinal(item, value, count))
			return true;
	return false;
}

unsigned json_line(const struct json_doc *doc, const struct json *value)
{
	struct json_scan scan = {0};
	size_t count = 0;

	if (!value || !doc->root || !ordinal(doc->root, node(value), &count))
		return 0;
	(void)json_scan(&scan, doc->text, doc->len, count);
	return line_at(doc->text, scan.at);
}

enum json_type json_type(const struct json *value)
{
	const cJSON *item = node(value);

	if (cJSON_IsBool(item))
		return JSON_BOOL;
	if (cJSON_IsNumber(item))
		return JSON_NUMBER;
	if (cJSON_IsString(item))
		return JSON_TEXT;
	if (cJSON_IsArray(item))
		return JSON_ARRAY;
	if (cJSON_IsObject(item))
		return JSON_OBJECT;
	return JSON_NULL;
}

const char *json_key(const struct json *value)
{
	return node(value)->string;
}

const struct json *json_member(const struct json *object, const char *key)
{
	const cJSON *item = object ? node(object)->child : NULL;

	while (item && !(item->string && is_same(item->string, key)))
		item = item->next;
	return (const struct json *)item;
}

const struct json *json_first(const struct json *container)
{
	return container ? (const struct json *)node(container)->child : NULL;
}

const struct json *json_next(const struct json *value)
{
	return (const struct json *)node(value)->next;
}

size_t json_count(const struct json *container)
{
	size_t count = 0;

	for (const struct json *item = json_first(container); item;
		item = json_next(item))
		count++;
	return count;
}

bool json_as_double(const struct json *value, double *out)
{
	if (!value || !cJSON_IsNumber(node(value)) || !isfinite(node(value)->valuedouble))
		return false;
	*out = node(value)->valuedouble;
	return true;
}

bool json_as_int(const struct json *value, int64_t *out)
{
	double number;

	if (!json_as_double(value, &number) || fabs(number) > EXACT_MAX ||
		number != trunc(number))
		return false;
	*out = (int64_t)number;
	return true;
}

bool json_as_bool(const struct json *value, bool *out)
{
	if (!value || !cJSON_IsBool(node(value)))
		return false;
	*out = cJSON_IsTrue(node(value));
	return true;
}

const char *json_as_text(const struct json *value)
{
	return value && cJSON_IsString(node(value)) ? node(value)->valuestring : NULL;
}

/* Puts a new item in; into NULL (memory ran out before) drops it. A NULL item marks the
 * tree as broken by a node that does not print. */
static struct json *add(struct json *into, const char *key, cJSON *item)
{
	cJSON_bool added;

	if (!into || !item) {
		cJSON_Delete(item);
		if (into)
			tree(into)->type = cJSON_Invalid;
		return NULL;
	}
	added = key ? cJSON_AddItemToObject(tree(into), key, item)
		    : cJSON_AddItemToArray(tree(into), item);
	if (!added) {
		cJSON_Delete(item);
		tree(into)->type = cJSON_Invalid;
		return NULL;
	}
	return (struct json *)item;
}

struct json *json_new_object(void)
{
	return (struct json *)cJSON_CreateObject();
}

struct json *json_new_array(void)
{
	return (struct json *)cJSON_CreateArray();
}

struct json *json_add_object(struct json *into, const char *key)
{
	return add(into, key, cJSON_CreateObject());
}

struct json *json_add_array(struct json *into, const char *key)
{
	return add(into, key, cJSON_CreateArray());
}

/* The library prints every number as a double, reads it back to see whether that did, and
 * gives large ones an exponent; digits are quicker and plainer. */
void json_add_int(struct json *into, const char *key, int64_t value)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%" PRId64, value);
	(void)add(into, key, cJSON_CreateRaw(digits));
}

void json_add_double(struct json *into, const char *key, double value)
{
	char digits[32];

	/* The library is content with digits that read back almost the same. */
	for (int precision = 15; isfinite(value) && precision <= 17; precision++) {
		(void)snprintf(digits, sizeof(digits), "%.*g", precision, value);
		if (memcmp(&(double){strtod(digits, NULL)}, &value, sizeof(value)) == 0) {
			(void)add(into, key, cJSON_CreateRaw(digits));
			return;
		}
	}
	(void)add(into, key, cJSON_CreateNull());
}

static bool is_utf8(const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t width;

	for (; len; at += width, len -= width) {
		width = printable_utf8_length(at, len);
		if (!width)
			return false;
	}
	return true;
}

/* A copy in which "?" stands for each byte that is no UTF-8; no longer than before. */
static char *to_utf8(const char *text, size_t len)
{
	char *copy = strdup(text);
	size_t width;

	for (size_t i = 0; copy && i < len; i += width ? width : 1) {
		width = printable_utf8_length((unsigned char *)copy + i, len - i);
		if (!width)
			copy[i] = '?';
	}
	return copy;
}

void json_add_text(struct json *into, const char *key, const char *value)
{
	size_t len = strlen(value);
	char *copy;

	if (is_utf8(value, len)) {
		(void)add(into, key, cJSON_CreateString(value));
		return;
	}
	copy = to_utf8(value, len);
	(void)add(into, key, copy ? cJSON_CreateString(copy) : NULL);
	free(copy);
}

void json_add_bool(struct json *into, const char *key, bool value)
{
	(void)add(into, key, cJSON_CreateBool(value));
}

void json_add_null(struct json *into, const char *key)
{
	(void)add(into, key, cJSON_CreateNull());
}

void json_add_raw(struct json *into, const char *key, const char *text, size_t len)
{
	char *copy = strndup(text, len);

	(void)add(into, key, copy ? cJSON_CreateRaw(copy) : NULL);
	free(copy);
}

int json_print(const struct json *root, char *buf, size_t cap)
{
	char *text;
	size_t len;

	/* The library wants bytes to spare: what it refuses may fit after all. */
	if (cap && cap <= INT32_MAX &&
		cJSON_PrintPreallocated((cJSON *)(uintptr_t)root, buf, (int)cap, false))
		return (int)strlen(buf);
	text = cJSON_PrintUnformatted(node(root));
	if (!text)
		return -ENOMEM;
	len = strlen(text);
	if (len < cap)
		memcpy(buf, text, len + 1);
	cJSON_free(text);
	return len < cap ? (int)len : STATUS_LIMIT;
}

char *json_print_new(const struct json *root)
{
	return cJSON_PrintUnformatted(node(root));
}

void json_free(struct json *root)
{
	cJSON_Delete(tree(root));
}

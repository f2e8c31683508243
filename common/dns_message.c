#include "astray/dns_message.h"

#include <arpa/nameser.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "astray/cursor.h"
#include "astray/status.h"

#define MESSAGE_MAX 65535
#define HASH_START UINT64_C(0xcbf29ce484222325) /* FNV-1a */
#define HASH_PRIME UINT64_C(0x100000001b3)
#define HEAD_ANSWER 0x8000u
#define HEAD_OPCODE 0x7800u
#define HEAD_TRUNCATED 0x0200u
#define HEAD_RCODE 0x000fu
#define HASH_TEXT 17 /* "~" and 16 digits */

/* Text that may not fit: what goes beyond is hashed, not lost. */
struct pen {
	char *buf;
	size_t len; /* of all that was written */
	uint64_t hash;
};

static struct pen pen_on(char buf[static OBS_NAME])
{
	return (struct pen){.buf = buf, .hash = HASH_START};
}

static void put_char(struct pen *pen, char c)
{
	if (pen->len < OBS_NAME - 1)
		pen->buf[pen->len] = c;
	pen->len++;
	pen->hash = (pen->hash ^ (uint8_t)c) * HASH_PRIME;
}

__attribute__((format(printf, 2, 3))) static void put(
	struct pen *pen, const char *format, ...)
{
	char text[2 * OBS_NAME];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (const char *c = text; *c; c++)
		put_char(pen, *c);
}

static void finish(const struct pen *pen)
{
	if (pen->len < OBS_NAME)
		pen->buf[pen->len] = '\0';
	else
		(void)snprintf(pen->buf + OBS_NAME - 1 - HASH_TEXT, HASH_TEXT + 1,
			"~%016" PRIx64, pen->hash);
}

static void put_quoted(struct pen *pen, const uint8_t *bytes, size_t len)
{
	put_char(pen, '"');
	for (size_t i = 0; i < len; i++)
		if (bytes[i] == '"' || bytes[i] == '\\')
			put(pen, "\\%c", bytes[i]);
		else if (bytes[i] < ' ' || bytes[i] > '~')
			put(pen, "\\%03u", bytes[i]);
		else
			put_char(pen, (char)bytes[i]);
	put_char(pen, '"');
}

static void put_hex(struct pen *pen, struct cursor *cur)
{
	while (cursor_left(cur) > 0)
		put(pen, "%02x", cursor_take_u8(cur));
}

/* From libc's presentation form to ours. */
static int take_text_name(char out[static OBS_NAME], const char *name)
{
	size_t len = strlen(name);

	if (len > 0 && name[len - 1] == '.' && (len == 1 || name[len - 2] != '\\'))
		len--;
	if (len >= OBS_NAME)
		return STATUS_RANGE;
	for (size_t i = 0; i < len; i++)
		out[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a')
							  : name[i];
	out[len] = '\0';
	return 0;
}

/* A name inside a record, which may point back into the message. */
static int take_name(char out[static OBS_NAME], struct cursor *cur, const ns_msg *msg)
{
	char name[NS_MAXDNAME];
	int len = ns_name_uncompress(
		ns_msg_base(*msg), ns_msg_end(*msg), cur->at, name, sizeof(name));

	if (len < 0 || !cursor_take(cur, (size_t)len))
		return STATUS_SYNTAX;
	return take_text_name(out, name);
}

static int read_address(struct dns_record *record, struct cursor *cur)
{
	size_t len = record->type == DNS_A ? 4 : 16;
	const uint8_t *bytes = cursor_take(cur, len);

	if (!bytes)
		return STATUS_SHORT;
	record->address = len == 4 ? address_v4(bytes) : address_v6(bytes);
	(void)address_text(&record->address, record->data);
	return 0;
}

static int read_host(struct dns_record *record, struct cursor *cur, const ns_msg *msg)
{
	struct pen pen = pen_on(record->data);
	int rc;

	if (record->type == DNS_MX)
		put(&pen, "%u ", cursor_take_u16(cur));
	rc = take_name(record->host, cur, msg);
	put(&pen, "%s", record->host[0] ? record->host : ".");
	finish(&pen);
	return rc;
}

static int read_soa(struct dns_record *record, struct cursor *cur, const ns_msg *msg)
{
	struct pen pen = pen_on(record->data);

	for (int i = 0; i < 2; i++) {
		char name[OBS_NAME];
		int rc = take_name(name, cur, msg);

		if (rc)
			return rc;
		put(&pen, "%s%s", name[0] ? name : ".", i ? "" : " ");
	}
	for (int i = 0; i < 5; i++)
		put(&pen, " %" PRIu32, cursor_take_u32(cur));
	finish(&pen);
	return 0;
}

static int read_txt(struct dns_record *record, struct cursor *cur)
{
	struct pen pen = pen_on(record->data);

	while (cursor_left(cur) > 0) {
		struct cursor text = cursor_take_sub(cur, cursor_take_u8(cur));

		if (text.short_read)
			return STATUS_SHORT;
		if (pen.len)
			put_char(&pen, ' ');
		put_quoted(&pen, text.at, cursor_left(&text));
	}
	finish(&pen);
	return 0;
}

static int read_caa(struct dns_record *record, struct cursor *cur)
{
	struct pen pen = pen_on(record->data);
	unsigned flags = cursor_take_u8(cur);
	struct cursor tag = cursor_take_sub(cur, cursor_take_u8(cur));

	if (tag.short_read)
		return STATUS_SHORT;
	put(&pen, "%u ", flags);
	for (size_t i = 0, len = cursor_left(&tag); i < len; i++) {
		char c = (char)tag.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9')))
			return STATUS_SYNTAX;
		put_char(&pen, c);
	}
	put_char(&pen, ' ');
	put_quoted(&pen, cur->at, cursor_left(cur));
	cursor_skip(cur, cursor_left(cur));
	finish(&pen);
	return 0;
}

static int read_ds(struct dns_record *record, struct cursor *cur)
{
	struct pen pen = pen_on(record->data);

	put(&pen, "%u ", cursor_take_u16(cur));
	put(&pen, "%u ", cursor_take_u8(cur));
	put(&pen, "%u ", cursor_take_u8(cur));
	put_hex(&pen, cur);
	finish(&pen);
	return 0;
}

static int read_data(struct dns_record *record, struct cursor *cur, const ns_msg *msg)
{
	switch (record->type) {
	case DNS_A:
	case DNS_AAAA:
		return read_address(record, cur);
	case DNS_NS:
	case DNS_CNAME:
	case DNS_PTR:
	case DNS_MX:
		return read_host(record, cur, msg);
	case DNS_SOA:
		return read_soa(record, cur, msg);
	case DNS_TXT:
		return read_txt(record, cur);
	case DNS_CAA:
		return read_caa(record, cur);
	case DNS_DS:
		return read_ds(record, cur);
	default:
		cursor_skip(cur, cursor_left(cur));
		return 0;
	}
}

static int read_record(struct dns_message *out, const ns_rr *rr, const ns_msg *msg,
	enum dns_section section)
{
	struct cursor cur = cursor_over(ns_rr_rdata(*rr), ns_rr_rdlen(*rr));
	struct dns_record *record;
	int rc;

	if ((unsigned)ns_rr_type(*rr) == DNS_OPT) {
		/* The upper bits of the response code stand in what is a TTL elsewhere.
		 */
		out->rcode |= (ns_rr_ttl(*rr) >> 24) << 4;
		return 0;
	}
	if (ns_rr_class(*rr) != ns_c_in)
		return 0;
	if (out->record_count == DNS_MESSAGE_RECORDS)
		return STATUS_LIMIT;
	record = &out->records[out->record_count];
	*record = (struct dns_record){.type = (uint16_t)ns_rr_type(*rr),
		.section = section,
		/* RFC 2181: a TTL with its top bit set is zero. */
		.ttl = ns_rr_ttl(*rr) > INT32_MAX ? 0 : ns_rr_ttl(*rr)};
	rc = take_text_name(record->owner, ns_rr_name(*rr));
	if (rc == 0)
		rc = read_data(record, &cur, msg);
	if (rc)
		return rc;
	if (cur.short_read || cursor_left(&cur) > 0)
		return STATUS_SYNTAX;
	out->record_count++;
	return 0;
}

static int read_question(struct dns_message *out, ns_msg *msg)
{
	ns_rr rr;
	size_t len;

	if (ns_msg_count(*msg, ns_s_qd) != 1 || ns_parserr(msg, ns_s_qd, 0, &rr) < 0 ||
		ns_rr_class(rr) != ns_c_in)
		return STATUS_SYNTAX;
	len = strlen(ns_rr_name(rr));
	if (len >= sizeof(out->question))
		return STATUS_RANGE;
	memcpy(out->question, ns_rr_name(rr), len + 1);
	if (strcmp(out->question, ".") == 0)
		out->question[0] = '\0';
	out->question_type = (uint16_t)ns_rr_type(rr);
	return 0;
}

static int read_section(
	struct dns_message *out, ns_msg *msg, ns_sect from, enum dns_section to)
{
	for (int i = 0; i < ns_msg_count(*msg, from); i++) {
		ns_rr rr;
		int rc;

		if (ns_parserr(msg, from, i, &rr) < 0)
			return STATUS_SYNTAX;
		rc = read_record(out, &rr, msg, to);
		if (rc)
			return rc;
	}
	return 0;
}

int dns_message_read(struct dns_message *out, const void *bytes, size_t len)
{
	ns_msg msg;
	int rc;

	out->record_count = 0;
	if (len > MESSAGE_MAX)
		return STATUS_LIMIT;
	if (ns_initparse(bytes, (int)len, &msg) < 0)
		return STATUS_SHORT;
	out->id = ns_msg_id(msg);
	out->is_answer = ns_msg_getflag(msg, ns_f_qr);
	out->authoritative = ns_msg_getflag(msg, ns_f_aa);
	out->truncated = ns_msg_getflag(msg, ns_f_tc);
	out->authentic = ns_msg_getflag(msg, ns_f_ad);
	out->rcode = (unsigned)ns_msg_getflag(msg, ns_f_rcode);
	rc = read_question(out, &msg);
	if (rc == 0)
		rc = read_section(out, &msg, ns_s_an, DNS_ANSWER);
	if (rc == 0)
		rc = read_section(out, &msg, ns_s_ns, DNS_AUTHORITY);
	if (rc == 0)
		rc = read_section(out, &msg, ns_s_ar, DNS_ADDITIONAL);
	return rc;
}

int dns_message_read_head(struct dns_message_head *out, const void *bytes, size_t len)
{
	struct cursor cur = cursor_over(bytes, len);
	char name[NS_MAXDNAME];
	unsigned flags;
	int name_len;

	out->id = cursor_take_u16(&cur);
	flags = cursor_take_u16(&cur);
	if (cursor_take_u16(&cur) != 1 && !cur.short_read)
		return STATUS_SYNTAX;
	out->answer_count = cursor_take_u16(&cur);
	cursor_skip(&cur, 4);
	if (cur.short_read)
		return STATUS_SHORT;
	if (flags & HEAD_OPCODE)
		return STATUS_SYNTAX;
	out->is_answer = flags & HEAD_ANSWER;
	out->truncated = flags & HEAD_TRUNCATED;
	out->rcode = flags & HEAD_RCODE;
	name_len = ns_name_uncompress(bytes, cur.end, cur.at, name, sizeof(name));
	if (name_len < 0 || take_text_name(out->question, name))
		return STATUS_SYNTAX;
	cursor_skip(&cur, (size_t)name_len);
	out->question_type = cursor_take_u16(&cur);
	if (cursor_take_u16(&cur) != ns_c_in && !cur.short_read)
		return STATUS_SYNTAX;
	return cur.short_read ? STATUS_SHORT : 0;
}

struct word {
	unsigned number;
	const char *text;
};

static const struct word types[] = {{DNS_A, "A"}, {DNS_NS, "NS"}, {DNS_CNAME, "CNAME"},
	{DNS_PTR, "PTR"}, {DNS_SOA, "SOA"}, {DNS_MX, "MX"}, {DNS_TXT, "TXT"},
	{DNS_AAAA, "AAAA"}, {DNS_OPT, "OPT"}, {DNS_DS, "DS"}, {DNS_RRSIG, "RRSIG"},
	{DNS_NSEC, "NSEC"}, {DNS_NSEC3, "NSEC3"}, {DNS_CAA, "CAA"}, {0, NULL}};

static const struct word rcodes[] = {{DNS_NOERROR, "NOERROR"}, {DNS_FORMERR, "FORMERR"},
	{DNS_SERVFAIL, "SERVFAIL"}, {DNS_NXDOMAIN, "NXDOMAIN"}, {DNS_NOTIMP, "NOTIMP"},
	{DNS_REFUSED, "REFUSED"}, {6, "YXDOMAIN"}, {7, "YXRRSET"}, {8, "NXRRSET"},
	{9, "NOTAUTH"}, {10, "NOTZONE"}, {16, "BADVERS"}, {0, NULL}};

static const char *word_text(const struct word *words, unsigned number, const char *other,
	char buf[static DNS_WORD])
{
	for (; words->text; words++)
		if (words->number == number) {
			(void)snprintf(buf, DNS_WORD, "%s", words->text);
			return buf;
		}
	(void)snprintf(buf, DNS_WORD, "%s%u", other, number);
	return buf;
}

const char *dns_message_type_text(unsigned type, char buf[static DNS_WORD])
{
	return word_text(types, type, "TYPE", buf);
}

const char *dns_message_rcode_text(unsigned rcode, char buf[static DNS_WORD])
{
	return word_text(rcodes, rcode, "RCODE", buf);
}

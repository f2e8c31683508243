/*
 * A DNS answer taken apart, strictly: what does not parse to its last byte is refused.
 * The wire form is read by libc's resolver routines (the one place that meets them); what
 * records mean is ours. Pure; a value of about 70 KB, so keep it off the stack.
 */
#ifndef ASTRAY_DNS_MESSAGE_H
#define ASTRAY_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/obs.h"

#define DNS_MESSAGE_RECORDS \
	128 /* more is refused: no honest answer to our questions has them */

enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_OPT = 41,
	DNS_DS = 43,
	DNS_RRSIG = 46,
	DNS_NSEC = 47,
	DNS_NSEC3 = 50,
	DNS_CAA = 257,
};

enum dns_rcode {
	DNS_NOERROR,
	DNS_FORMERR,
	DNS_SERVFAIL,
	DNS_NXDOMAIN,
	DNS_NOTIMP,
	DNS_REFUSED,
};

enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };

struct dns_record {
	char owner[OBS_NAME]; /* lower case, no trailing dot; the root is "" */
	uint16_t type;
	enum dns_section section;
	uint32_t ttl;
	/* As dig prints it, names as the owner's; "" for types that we do not read. What
	 * is too long ends in ~ and a hash of the whole, so that a change far behind
	 * still shows. */
	char data[OBS_NAME];
	char host[OBS_NAME];    /* the name in NS, CNAME, PTR and MX */
	struct address address; /* of A and AAAA */
};

struct dns_message {
	uint16_t id;
	bool is_answer, authoritative, truncated, authentic;
	unsigned rcode;
	char question[OBS_NAME]; /* in the case in which it came back */
	uint16_t question_type;
	unsigned record_count;
	struct dns_record records[DNS_MESSAGE_RECORDS];
};

/* 0; STATUS_SHORT or STATUS_SYNTAX when the bytes are no message with one question of
 * class IN; STATUS_LIMIT when it holds more than we take. */
int dns_message_read(struct dns_message *out, const void *bytes, size_t len);

/* Who is asked what: the beginning of a message, which holds also where its rest is cut,
 * or more than we take. */
struct dns_message_head {
	uint16_t id;
	bool is_answer, truncated;
	unsigned rcode, answer_count;
	uint16_t question_type;
	char question[OBS_NAME]; /* lower case, no trailing dot */
};

/* 0; STATUS_SHORT or STATUS_SYNTAX when the bytes do not begin a question of class IN, or
 * an answer to one. */
int dns_message_read_head(struct dns_message_head *out, const void *bytes, size_t len);

/* "A", "TYPE65"; "NOERROR", "RCODE17". */
#define DNS_WORD 16
const char *dns_message_type_text(unsigned type, char buf[static DNS_WORD]);
const char *dns_message_rcode_text(unsigned rcode, char buf[static DNS_WORD]);

#endif

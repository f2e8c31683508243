/*
 * An observation: one measurement as a plain value. Copy it with =, queue it freely;
 * there is nothing to free. The fields are those of the wire contract (docs: WIRE.md
 * beside this file), with the same names and units. Signed integers that were not
 * measured are OBS_ABSENT, texts that were not are "", sketches that were not are empty:
 * absent is never zero.
 */
#ifndef ASTRAY_OBS_H
#define ASTRAY_OBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/address.h"
#include "astray/moment.h"
#include "astray/place.h"
#include "astray/sketch.h"

#define OBS_ABSENT INT64_C(-1)

/* Bounds. A line that holds more is refused by readers and never made by writers. */
#define OBS_HOPS 128
#define OBS_MPLS 8
#define OBS_PEERS 64
#define OBS_ANSWERS 64
#define OBS_LABELS 8
#define OBS_GAPS 16
#define OBS_SERVERS 16
#define OBS_STATUSES 16
#define OBS_STATUS_CLASSES 5
#define OBS_CHAIN 6
#define OBS_NAMES 16
#define OBS_NAME 256 /* a DNS name, a service, a URL's host */
#define OBS_WORD 64  /* a probe, a label, a site, a boot id, a version */
#define OBS_TEXT 512 /* a URL, an error's text, a distinguished name */

enum obs_kind {
	OBS_HELLO,
	OBS_TRAFFIC,
	OBS_CHECK,
	OBS_TRACE,
	OBS_DNS,
	OBS_REGISTRY,
	OBS_HEALTH,
	OBS_MAINTENANCE,
	OBS_ACKNOWLEDGE,
	OBS_KINDS
};

enum obs_role { OBS_ENDPOINT, OBS_GATEWAY, OBS_SENTINEL };

struct obs_label {
	char key[OBS_WORD];
	char value[OBS_WORD];
};

struct obs_hello {
	char version[OBS_WORD];
	enum obs_role role;
	unsigned label_count;
	struct obs_label labels[OBS_LABELS];
	bool networked; /* network was given */
	uint32_t network_asn;
	char network_country[3];
};

struct obs_peer {
	struct address address;
	int64_t requests;
};

/* Sketches of a traffic window, in wire order. */
enum obs_sketch {
	OBS_CONNECT,        /* connect_us: SYN to SYN-ACK */
	OBS_RESPONSE,       /* response_us: request to first byte of its answer */
	OBS_LAST_BYTE,      /* last_byte_us */
	OBS_THINK,          /* think_us: response less the least round trip */
	OBS_TLS,            /* tls_us: handshake */
	OBS_RTT,            /* rtt_us */
	OBS_CLIENT_CONNECT, /* client_connect_us: SYN-ACK to ACK */
	OBS_SKETCHES
};

/* What told whose a connection is, in the order in which they are believed. */
enum obs_naming {
	OBS_BY_SERVER_NAME, /* that TLS or QUIC asked for */
	OBS_BY_HOST,        /* that HTTP asked for */
	OBS_BY_CERTIFICATE, /* the server's, where it goes in the clear */
	OBS_BY_DNS,         /* the name that the client had asked a DNS server for */
	OBS_BY_ADDRESS,     /* the server's address and port */
	OBS_BY_OTHERS,      /* what other connections to that address and port were */
	OBS_NAMINGS
};

/* What traffic was measured with. The kernel's own statistics of its connections know
 * nothing of requests. */
enum obs_method { OBS_PACKETS, OBS_KERNEL, OBS_METHODS };

struct obs_traffic {
	int64_t window_us; /* the window starts at obs.at */
	char service[OBS_NAME];
	enum obs_method method;
	int64_t connections, refused, timed_out, reset, tls_failed;
	int64_t requests, responses, errors, untimed, multiplexed, estimated;
	int64_t sent_bytes, received_bytes, retransmits, lost_packets;
	int64_t statuses[OBS_STATUS_CLASSES]; /* responses by HTTP's 1xx to 5xx; all 0:
						 absent */
	int64_t named_by[OBS_NAMINGS];        /* connections; all 0: absent */
	struct sketch sketches[OBS_SKETCHES];
	unsigned peer_count;
	struct obs_peer peers[OBS_PEERS];
};

enum obs_check_error {
	OBS_CHECK_OK,
	OBS_CHECK_DNS,
	OBS_CHECK_REFUSED,
	OBS_CHECK_TIMEOUT,
	OBS_CHECK_RESET,
	OBS_CHECK_UNREACHABLE,
	OBS_CHECK_TLS,
	OBS_CHECK_HTTP,
};

/* A certificate that vouches for the one before it. */
struct obs_voucher {
	char subject[OBS_NAME];
	char spki_sha256[OBS_WORD + 1];
};

struct obs_certificate {
	bool present;
	char version[OBS_WORD]; /* "TLSv1.3" */
	char issuer[OBS_TEXT];
	char subject[OBS_TEXT];
	char spki_sha256[OBS_WORD + 1];      /* 64 hex digits */
	struct moment not_before, not_after; /* RFC 3339 on the wire; us 0 = absent */
	bool verified;
	unsigned chain_count;
	struct obs_voucher chain[OBS_CHAIN]; /* from its issuer up to the root */
	int64_t names_in_all;                /* that it is good for; 0 = absent */
	unsigned name_count;
	char names[OBS_NAMES][OBS_NAME]; /* the first of them */
};

struct obs_check {
	char service[OBS_NAME];
	char url[OBS_TEXT];
	struct address
		peer; /* whom it was sent to; family 0: the name was not resolved */
	int64_t dns_us, connect_us, tls_us, first_byte_us, total_us;
	int64_t status;
	enum obs_check_error error;
	char error_text[OBS_TEXT];
	struct obs_certificate tls;
};

enum obs_protocol { OBS_TCP, OBS_UDP, OBS_ICMP };

struct obs_mpls {
	uint32_t label; /* 20 bits */
	uint8_t tc, s, ttl;
};

/* Why a router passed a probe on no further. */
enum obs_unreachable {
	OBS_REACHABLE, /* nobody said otherwise */
	OBS_NETWORK,
	OBS_HOST,
	OBS_NO_PROTOCOL,
	OBS_NO_PORT,
	OBS_FRAGMENTATION,
	OBS_PROHIBITED,
	OBS_OTHER_REASON,
};

struct obs_hop {
	int64_t ttl, sent, answered;
	struct address address; /* family 0: silent */
	int64_t rtt_us;         /* the least of the answers */
	enum obs_unreachable unreachable;
	bool nat;           /* the packet that it quotes was translated on the way */
	uint8_t reply_ttl;  /* that its answer arrived with; 0: not known */
	bool ttl_odd;       /* the probe did not get there with 1, but with quoted_ttl */
	uint8_t quoted_ttl; /* a tunnel, or a router that does not count */
	uint8_t quoted_tos; /* 0: as it was sent */
	uint16_t mtu;       /* larger packets it does not pass on; 0: not known */
	char name[OBS_NAME];
	unsigned mpls_count;
	struct obs_mpls mpls[OBS_MPLS];
	struct place place;
};

struct obs_trace {
	char service[OBS_NAME];
	struct address peer;
	enum obs_protocol protocol;
	int64_t port; /* OBS_ABSENT for ICMP */
	int64_t flow;
	bool reached;
	uint16_t mtu; /* of the whole path; 0: not asked for */
	unsigned hop_count;
	struct obs_hop
		hops[OBS_HOPS]; /* ascending ttl; one with two addresses stands twice */
};

enum obs_dns_role { OBS_RESOLVER, OBS_AUTHORITY, OBS_PARENT };

struct obs_answer {
	char data[OBS_NAME];
	int64_t ttl;
	struct place place;
};

struct obs_dns {
	char service[OBS_NAME];
	char name[OBS_NAME];
	char type[16]; /* "A", "NS", … */
	enum obs_dns_role role;
	struct address server;
	char rcode[16]; /* "NOERROR", "SERVFAIL", … ; "TIMEOUT" when nobody answered */
	bool authoritative, validated;
	int64_t rtt_us;
	unsigned answer_count;
	struct obs_answer answers[OBS_ANSWERS];
};

struct obs_registry {
	char domain[OBS_NAME];
	char registrar[OBS_TEXT];
	unsigned status_count;
	char status[OBS_STATUSES][OBS_WORD];
	unsigned server_count;
	char name_servers[OBS_SERVERS][OBS_NAME];
	struct moment last_changed, expires; /* us 0 = absent */
	bool signed_known, delegation_signed;
};

struct obs_gap {
	struct moment from, until;
	int64_t observations;
};

struct obs_health {
	int64_t cpu_us, rss_bytes, spooled_batches, spooled_bytes;
	int64_t dropped_observations, captured_packets, capture_drops;
	int64_t unfollowed_connections;
	unsigned gap_count;
	struct obs_gap gaps[OBS_GAPS];
};

struct obs_maintenance {
	char service[OBS_NAME]; /* "*": all */
	char site[OBS_WORD];    /* "": all */
	struct moment from, until;
	char note[OBS_TEXT];
};

struct obs_acknowledge {
	char incident[OBS_WORD];
	char by[OBS_WORD];
	char note[OBS_TEXT];
};

struct obs {
	enum obs_kind kind;
	struct moment at; /* the probe's clock */
	union {
		struct obs_hello hello;
		struct obs_traffic traffic;
		struct obs_check check;
		struct obs_trace trace;
		struct obs_dns dns;
		struct obs_registry registry;
		struct obs_health health;
		struct obs_maintenance maintenance;
		struct obs_acknowledge acknowledge;
	};
};

/* Makes an observation in which nothing has been measured yet: integers absent, texts and
 * sketches empty. Costs only its own kind's size. */
void obs_init(struct obs *obs, enum obs_kind kind, struct moment at);
/* Its first bytes hold all of it: what a copy needs. */
size_t obs_held_bytes(const struct obs *obs);

/* The words of the wire for each enumeration; never NULL for a valid value. */
const char *obs_kind_text(enum obs_kind kind);
const char *obs_role_text(enum obs_role role);
const char *obs_check_error_text(enum obs_check_error error);
const char *obs_protocol_text(enum obs_protocol protocol);
const char *obs_unreachable_text(enum obs_unreachable why);
const char *obs_dns_role_text(enum obs_dns_role role);
const char *obs_method_text(enum obs_method method); /* "packets", "kernel" */
const char *obs_status_class_text(int status_class); /* 0: "1xx", … */
const char *obs_naming_text(enum obs_naming naming); /* "server_name", … */
const char *obs_sketch_text(enum obs_sketch which);  /* "connect_us", … */

/* The service that it speaks of, or "" for kinds that speak of none. */
const char *obs_service(const struct obs *obs);
/* Same meaning, field by field (unused array rows do not count). */
bool obs_equal(const struct obs *a, const struct obs *b);

/* Where a source leaves what it measured; the observation is borrowed for the call. */
typedef void (*obs_emit_fn)(void *arg, const struct obs *obs);

#endif

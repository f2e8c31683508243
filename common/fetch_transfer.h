/*
 * One HTTP request in libcurl's terms: what is asked of it, what it calls back with, and
 * what its end means. The loop is fetch.c's.
 */
#ifndef COMMON_FETCH_TRANSFER_H
#define COMMON_FETCH_TRANSFER_H

#include "astray/fetch.h"
#include "fetch_trust.h"

struct fetch_transfer;

/* Checks the URL and finds its host, brackets taken off. */
int fetch_transfer_read_url(char *host, size_t cap, bool *secure, const char *url);

/* `owner` is what libcurl's handle gives back (CURLOPT_PRIVATE). The trust is borrowed,
 * and read when a measured handshake begins. */
int fetch_transfer_new(struct fetch_transfer **out, const struct fetch_order *order,
	bool secure, const struct fetch_trust *trust, void *owner);
void fetch_transfer_free(struct fetch_transfer *transfer);        /* NULL is fine */
void *fetch_transfer_easy(const struct fetch_transfer *transfer); /* libcurl's handle */
/* Whatever the URL's host is, it goes to this address. */
int fetch_transfer_connect_to(
	struct fetch_transfer *transfer, const struct address *peer);

/* From libcurl's code to rc, error and its text. */
void fetch_transfer_judge(
	struct fetch_answer *answer, struct fetch_transfer *transfer, int code);
/* Everything else that it knows; total_us and late are the caller's, and late is read.
 * The body is borrowed. */
void fetch_transfer_fill(
	struct fetch_answer *answer, const struct fetch_transfer *transfer);
/* What it was waiting for: "no connection". */
const char *fetch_transfer_awaited(const struct fetch_transfer *transfer);

#endif

/*
 * What an X.509 certificate says of itself, in the wire's form. Pure; a certificate is a
 * stranger's, and whatever does not fit or does not parse is left out.
 */
#ifndef COMMON_FETCH_CERTIFICATE_H
#define COMMON_FETCH_CERTIFICATE_H

#include "astray/obs.h"

struct x509_st;

struct stack_st_X509;

/* Fills all but version, verified and the chain. */
void fetch_certificate_read(struct obs_certificate *out, const struct x509_st *x509);
/* The chain that was built over it, which begins with itself; NULL when there is none. */
void fetch_certificate_read_chain(
	struct obs_certificate *out, const struct stack_st_X509 *chain);

#endif

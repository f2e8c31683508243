/*
 * What an X.509 certificate says of itself, in the wire's form. Pure; a certificate is a
 * stranger's, and whatever does not fit or does not parse is left out.
 */
#ifndef COMMON_FETCH_CERTIFICATE_H
#define COMMON_FETCH_CERTIFICATE_H

#include "astray/obs.h"

struct x509_st;

/* Fills all but version and verified. */
void fetch_certificate_read(struct obs_certificate *out, const struct x509_st *x509);

#endif

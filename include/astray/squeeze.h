/*
 * Compression of batches: zstd as we write it, gzip as others may send it. Expansion is
 * bounded in bytes and in ratio before anything is believed.
 */
#ifndef ASTRAY_SQUEEZE_H
#define ASTRAY_SQUEEZE_H

#include <stddef.h>

enum squeeze_coding { SQUEEZE_IDENTITY, SQUEEZE_ZSTD, SQUEEZE_GZIP };

#define SQUEEZE_RATIO_MAX 64 /* beyond it a batch is a bomb, not data */

/* Zstd into new memory that the caller frees; for short texts, in little memory. */
int squeeze_pack(void **out, size_t *out_len, const void *bytes, size_t len);
/* Expands into new memory (NUL behind the end), at most limit bytes: STATUS_LIMIT beyond,
 * STATUS_CORRUPT when the bytes are not of that coding. */
int squeeze_unpack(void **out, size_t *out_len, enum squeeze_coding coding,
	const void *bytes, size_t len, size_t limit);

#endif

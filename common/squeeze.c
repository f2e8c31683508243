#include "astray/squeeze.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#define ZLIB_CONST /* zlib's own switch: its input pointers become const */
#include <zlib.h>
#include <zstd.h>

#include "astray/status.h"

/* Packed once, sent over a network that somebody pays for: a few milliseconds for a tenth
 * less. */
#define LEVEL 8
/* A batch is short: the tables of that level, 1 MB of them, would find no more in it. */
#define TABLE_LOG 14
#define CHUNK_BYTES (64u * 1024u)
#define GZIP_WINDOW (15 + 16) /* the largest window, gzip framing */

/* Memory that grows as expansion goes on, up to what the input's size and the limit
 * allow. */
struct room {
	char *bytes;
	size_t used, held, limit;
};

static size_t bound(size_t len, size_t limit)
{
	/* A small input may still be honest at a high ratio: the first chunk is always
	 * allowed. */
	size_t by_ratio =
		len > SIZE_MAX / SQUEEZE_RATIO_MAX ? SIZE_MAX : len * SQUEEZE_RATIO_MAX;

	if (by_ratio < CHUNK_BYTES)
		by_ratio = CHUNK_BYTES;
	return by_ratio < limit ? by_ratio : limit;
}

/* Makes room for one byte more than is used, so that "too much" can be told from "just
 * fits". */
static int room_grow(struct room *room)
{
	size_t wanted = room->held ? room->held * 2 : CHUNK_BYTES;
	char *bytes;

	if (room->used < room->held)
		return 0;
	if (room->held > room->limit)
		return STATUS_LIMIT;
	if (wanted > room->limit + 1)
		wanted = room->limit + 1;
	bytes = realloc(room->bytes, wanted + 1);
	if (!bytes)
		return -ENOMEM;
	room->bytes = bytes;
	room->held = wanted;
	return 0;
}

static int unpack_zstd(struct room *room, const void *bytes, size_t len)
{
	ZSTD_inBuffer in = {bytes, len, 0};
	ZSTD_DCtx *context = ZSTD_createDCtx();
	size_t state = 1;
	int rc = context ? 0 : -ENOMEM;

	while (rc == 0 && (in.pos < in.size || state != 0)) {
		ZSTD_outBuffer out;

		rc = room_grow(room);
		if (rc)
			break;
		out = (ZSTD_outBuffer){
			room->bytes + room->used, room->held - room->used, 0};
		state = ZSTD_decompressStream(context, &out, &in);
		room->used += out.pos;
		if (ZSTD_isError(state) ||
			(out.pos == 0 && in.pos == in.size && state != 0))
			rc = STATUS_CORRUPT;
	}
	ZSTD_freeDCtx(context);
	return rc;
}

static int unpack_gzip(struct room *room, const void *bytes, size_t len)
{
	z_stream stream = {.next_in = bytes, .avail_in = (uInt)len};
	int state = Z_OK;
	int rc = 0;

	if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
		return -ENOMEM;
	while (rc == 0 && state != Z_STREAM_END) {
		rc = room_grow(room);
		if (rc)
			break;
		stream.next_out = (Bytef *)room->bytes + room->used;
		stream.avail_out = (uInt)(room->held - room->used);
		state = inflate(&stream, Z_NO_FLUSH);
		room->used = room->held - stream.avail_out;
		if (state != Z_OK && state != Z_STREAM_END)
			rc = STATUS_CORRUPT;
	}
	if (rc == 0 && stream.avail_in > 0)
		rc = STATUS_CORRUPT;
	(void)inflateEnd(&stream);
	return rc;
}

static int unpack_identity(struct room *room, const char *bytes, size_t len)
{
	if (len > room->limit)
		return STATUS_LIMIT;
	room->bytes = malloc(len + 1);
	if (!room->bytes)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++)
		room->bytes[i] = bytes[i];
	room->used = room->held = len;
	return 0;
}

static int unpack(
	struct room *room, enum squeeze_coding coding, const void *bytes, size_t len)
{
	switch (coding) {
	case SQUEEZE_IDENTITY:
		return unpack_identity(room, bytes, len);
	case SQUEEZE_ZSTD:
		return len ? unpack_zstd(room, bytes, len) : STATUS_CORRUPT;
	case SQUEEZE_GZIP:
		return len ? unpack_gzip(room, bytes, len) : STATUS_CORRUPT;
	}
	return STATUS_UNSUPPORTED;
}

int squeeze_unpack(void **out, size_t *out_len, enum squeeze_coding coding,
	const void *bytes, size_t len, size_t limit)
{
	struct room room = {
		.limit = coding == SQUEEZE_IDENTITY ? limit : bound(len, limit)};
	int rc;

	*out = NULL;
	*out_len = 0;
	if (len > UINT32_MAX)
		return STATUS_LIMIT;
	rc = unpack(&room, coding, bytes, len);
	if (rc == 0 && room.used > room.limit)
		rc = STATUS_LIMIT;
	if (rc == 0 && !room.bytes)
		rc = room_grow(&room);
	if (rc || !room.bytes) {
		free(room.bytes);
		return rc;
	}
	room.bytes[room.used] = '\0';
	*out = room.bytes;
	*out_len = room.used;
	return 0;
}

static int make_packer(ZSTD_CCtx **out)
{
	ZSTD_CCtx *packer = ZSTD_createCCtx();

	*out = packer;
	if (!packer)
		return -ENOMEM;
	if (ZSTD_isError(
		    ZSTD_CCtx_setParameter(packer, ZSTD_c_compressionLevel, LEVEL)) ||
		ZSTD_isError(ZSTD_CCtx_setParameter(packer, ZSTD_c_hashLog, TABLE_LOG)) ||
		ZSTD_isError(ZSTD_CCtx_setParameter(packer, ZSTD_c_chainLog, TABLE_LOG)))
		return STATUS_LIBRARY;
	return 0;
}

int squeeze_pack(void **out, size_t *out_len, const void *bytes, size_t len)
{
	size_t cap = ZSTD_compressBound(len), packed_len = 0;
	void *packed = malloc(cap);
	ZSTD_CCtx *packer;
	int rc = make_packer(&packer);

	*out = NULL;
	*out_len = 0;
	if (!packed)
		rc = -ENOMEM;
	if (rc == 0)
		packed_len = ZSTD_compress2(packer, packed, cap, bytes, len);
	if (ZSTD_isError(packed_len))
		rc = STATUS_LIBRARY;
	ZSTD_freeCCtx(packer);
	if (rc) {
		free(packed);
		return rc;
	}
	*out = packed;
	*out_len = packed_len;
	return 0;
}

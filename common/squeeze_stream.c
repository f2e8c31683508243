#include "astray/squeeze_stream.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "astray/status.h"

#define PIECE_BYTES (64u * 1024u)
#define GZIP_WINDOW (15 + 16) /* the largest window, gzip framing */
#define GZIP_FIRST 0x1f
#define ZSTD_FIRST 0x28

struct squeeze_stream {
	FILE *packed, *plain;
	z_stream gzip;
	ZSTD_DCtx *zstd; /* NULL: it is gzip */
	bool at_end;     /* of a member or frame: nothing need follow */
	int failure;
	size_t at, have;
	uint8_t bytes[PIECE_BYTES];
};

enum squeeze_coding squeeze_stream_coding(int first_byte)
{
	if (first_byte == GZIP_FIRST)
		return SQUEEZE_GZIP;
	return first_byte == ZSTD_FIRST ? SQUEEZE_ZSTD : SQUEEZE_IDENTITY;
}

static int expand_zstd(struct squeeze_stream *stream, char *into, size_t *len)
{
	ZSTD_inBuffer in = {stream->bytes, stream->have, stream->at};
	ZSTD_outBuffer out = {into, *len, 0};
	size_t state = ZSTD_decompressStream(stream->zstd, &out, &in);

	stream->at = in.pos;
	stream->at_end = state == 0;
	*len = out.pos;
	return ZSTD_isError(state) ? STATUS_CORRUPT : 0;
}

/* Some pad the last member with zeros. */
static void pass_padding(struct squeeze_stream *stream)
{
	while (stream->at < stream->have && stream->bytes[stream->at] == 0)
		stream->at++;
}

static int expand_gzip(struct squeeze_stream *stream, char *into, size_t *len)
{
	z_stream *gzip = &stream->gzip;
	size_t room = *len;
	int state;

	*len = 0;
	if (stream->at_end) {
		pass_padding(stream);
		if (stream->at == stream->have)
			return 0;
		(void)inflateReset(gzip);
	}
	gzip->next_in = stream->bytes + stream->at;
	gzip->avail_in = (uInt)(stream->have - stream->at);
	gzip->next_out = (Bytef *)into;
	gzip->avail_out = (uInt)(room < UINT32_MAX ? room : UINT32_MAX);
	room = gzip->avail_out;
	state = inflate(gzip, Z_NO_FLUSH);
	stream->at = stream->have - gzip->avail_in;
	stream->at_end = state == Z_STREAM_END;
	*len = room - gzip->avail_out;
	return state == Z_OK || state == Z_STREAM_END || state == Z_BUF_ERROR
		       ? 0
		       : STATUS_CORRUPT;
}

/* False at the end of what is packed. */
static bool fill(struct squeeze_stream *stream)
{
	if (stream->at < stream->have)
		return true;
	errno = 0;
	stream->at = 0;
	stream->have = fread(stream->bytes, 1, sizeof(stream->bytes), stream->packed);
	if (stream->have == 0 && ferror(stream->packed))
		stream->failure = errno ? -errno : -EIO;
	else if (stream->have == 0 && !stream->at_end)
		stream->failure = STATUS_CORRUPT;
	return stream->have > 0;
}

static ssize_t expand(void *cookie, char *into, size_t size)
{
	struct squeeze_stream *stream = cookie;
	size_t len = 0;

	while (len == 0 && stream->failure == 0 && size > 0 && fill(stream)) {
		len = size;
		stream->failure = stream->zstd ? expand_zstd(stream, into, &len)
					       : expand_gzip(stream, into, &len);
	}
	if (len > 0 || stream->failure == 0)
		return (ssize_t)len;
	errno = stream->failure == STATUS_CORRUPT ? EBADMSG : -stream->failure;
	return -1;
}

static int make_expander(struct squeeze_stream *stream, enum squeeze_coding coding)
{
	if (coding == SQUEEZE_ZSTD) {
		stream->zstd = ZSTD_createDCtx();
		return stream->zstd ? 0 : -ENOMEM;
	}
	return inflateInit2(&stream->gzip, GZIP_WINDOW) == Z_OK ? 0 : -ENOMEM;
}

int squeeze_stream_open(
	struct squeeze_stream **out, FILE *packed, enum squeeze_coding coding)
{
	cookie_io_functions_t functions = {.read = expand};
	struct squeeze_stream *stream;
	int rc;

	*out = NULL;
	if (coding != SQUEEZE_ZSTD && coding != SQUEEZE_GZIP)
		return STATUS_UNSUPPORTED;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return -ENOMEM;
	stream->packed = packed;
	rc = make_expander(stream, coding);
	if (rc == 0) {
		stream->plain = fopencookie(stream, "rb", functions);
		rc = stream->plain ? 0 : -ENOMEM;
	}
	if (rc) {
		squeeze_stream_close(stream);
		return rc;
	}
	*out = stream;
	return 0;
}

FILE *squeeze_stream_file(const struct squeeze_stream *stream)
{
	return stream->plain;
}

int squeeze_stream_failure(const struct squeeze_stream *stream)
{
	return stream->failure;
}

void squeeze_stream_close(struct squeeze_stream *stream)
{
	if (!stream)
		return;
	(void)ZSTD_freeDCtx(stream->zstd);
	(void)inflateEnd(&stream->gzip);
	free(stream);
}

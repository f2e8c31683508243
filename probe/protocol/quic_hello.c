#include "quic_hello.h"

#include <string.h>

#include "astray/status.h"
#include "quic_packet.h"
#include "tls_hello.h"

#define FRAME_PADDING 0x00
#define FRAME_PING 0x01
#define FRAME_ACK 0x02
#define FRAME_ACK_ECN 0x03
#define FRAME_CRYPTO 0x06
#define FRAME_CLOSE 0x1c
#define ACK_RANGES_MAX 1024

void quic_hello_init(struct quic_hello *hello)
{
	*hello = (struct quic_hello){.buffer = BUFFER_POOL_NONE};
}

void quic_hello_drop(struct quic_hello *hello, struct buffer_pool *pool)
{
	buffer_pool_give(pool, hello->buffer);
	quic_hello_init(hello);
}

static struct quic_hello_piece *pieces_of(
	const struct quic_hello *hello, struct buffer_pool *pool)
{
	uint8_t *bytes = buffer_pool_bytes(pool, hello->buffer);

	return (void *)(bytes + QUIC_HELLO_SIZE);
}

const struct quic_hello_piece *quic_hello_pieces(
	const struct quic_hello *hello, struct buffer_pool *pool)
{
	return hello->piece_count ? pieces_of(hello, pool) : NULL;
}

static void remove_piece(
	struct quic_hello *hello, struct quic_hello_piece *pieces, unsigned place)
{
	hello->piece_count--;
	memmove(&pieces[place], &pieces[place + 1],
		(hello->piece_count - place) * sizeof(*pieces));
}

/* Notes that a stretch has come; false when nothing of it is new, or when there are too
 * many pieces already. */
static bool note(
	struct quic_hello *hello, struct buffer_pool *pool, struct quic_hello_piece piece)
{
	struct quic_hello_piece *pieces = pieces_of(hello, pool);
	unsigned place = 0;

	while (place < hello->piece_count && pieces[place].until < piece.from)
		place++;
	if (place < hello->piece_count && pieces[place].from <= piece.from &&
		pieces[place].until >= piece.until)
		return false;
	while (place < hello->piece_count && pieces[place].from <= piece.until) {
		const struct quic_hello_piece *other = &pieces[place];

		piece.from = other->from < piece.from ? other->from : piece.from;
		piece.until = other->until > piece.until ? other->until : piece.until;
		remove_piece(hello, pieces, place);
	}
	if (hello->piece_count == QUIC_HELLO_PIECES)
		return false;
	memmove(&pieces[place + 1], &pieces[place],
		(hello->piece_count - place) * sizeof(*pieces));
	pieces[place] = piece;
	hello->piece_count++;
	return true;
}

static bool put(struct quic_hello *hello, struct buffer_pool *pool, uint64_t offset,
	struct cursor data)
{
	size_t len = cursor_left(&data);
	uint8_t *bytes;

	if (offset >= QUIC_HELLO_SIZE || len == 0)
		return false;
	if (len > QUIC_HELLO_SIZE - offset)
		len = QUIC_HELLO_SIZE - offset;
	if (hello->buffer == BUFFER_POOL_NONE)
		hello->buffer = buffer_pool_take(pool);
	if (hello->buffer == BUFFER_POOL_NONE)
		return false;
	if (!note(hello, pool,
		    (struct quic_hello_piece){
			    (uint16_t)offset, (uint16_t)(offset + len)}))
		return false;
	bytes = buffer_pool_bytes(pool, hello->buffer);
	memcpy(bytes + offset, data.at, len);
	return true;
}

static void take_crypto(struct quic_hello *hello, struct buffer_pool *pool,
	struct quic_hello_frames *out, struct cursor *cur)
{
	uint64_t offset = quic_packet_take_number(cur);
	uint64_t len = quic_packet_take_number(cur);
	struct cursor data =
		cursor_take_sub(cur, len > SIZE_MAX ? SIZE_MAX : (size_t)len);

	out->crypto = true;
	if (hello && !data.short_read && put(hello, pool, offset, data))
		out->news = true;
}

static void skip_ack(struct cursor *cur, bool counts_marks)
{
	uint64_t ranges;

	(void)quic_packet_take_number(cur); /* the largest */
	(void)quic_packet_take_number(cur); /* the delay */
	ranges = quic_packet_take_number(cur);
	if (ranges > ACK_RANGES_MAX)
		cur->short_read = true;
	(void)quic_packet_take_number(cur);
	for (uint64_t i = 0; i < 2 * ranges && !cur->short_read; i++)
		(void)quic_packet_take_number(cur);
	for (unsigned i = 0; i < 3 && counts_marks; i++)
		(void)quic_packet_take_number(cur);
}

int quic_hello_read(struct quic_hello *hello, struct buffer_pool *pool,
	struct quic_hello_frames *out, struct cursor frames)
{
	*out = (struct quic_hello_frames){0};
	while (cursor_left(&frames) > 0 && !frames.short_read)
		switch (cursor_take_u8(&frames)) {
		case FRAME_PADDING:
		case FRAME_PING:
			break;
		case FRAME_ACK:
			skip_ack(&frames, false);
			break;
		case FRAME_ACK_ECN:
			skip_ack(&frames, true);
			break;
		case FRAME_CRYPTO:
			take_crypto(hello, pool, out, &frames);
			break;
		case FRAME_CLOSE:
			out->close = true;
			return 0;
		default:
			return STATUS_SYNTAX;
		}
	return frames.short_read ? STATUS_SYNTAX : 0;
}

struct cursor quic_hello_bytes(const struct quic_hello *hello, struct buffer_pool *pool)
{
	const struct quic_hello_piece *first;

	if (hello->piece_count == 0)
		return cursor_over(NULL, 0);
	first = pieces_of(hello, pool);
	return cursor_over(buffer_pool_bytes(pool, hello->buffer),
		first->from > 0 ? 0 : first->until);
}

bool quic_hello_is_whole(const struct quic_hello *hello, struct buffer_pool *pool)
{
	struct cursor bytes = quic_hello_bytes(hello, pool);
	size_t len = cursor_left(&bytes);
	size_t want = len ? tls_hello_message_len(bytes.at, len) : 0;

	return len == QUIC_HELLO_SIZE || (want && len >= want);
}

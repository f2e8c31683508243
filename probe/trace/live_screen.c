#include "live_screen.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "printable.h"

#define LINE_MAX_BYTES 1024
#define WHO_WIDTH 40 /* on a wide terminal */
#define WHO_WIDTH_LEAST 24
#define WIDE 116
#define RED "\033[31m"
#define DIM "\033[2m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
#define BARS (sizeof(bars) / sizeof(bars[0]))

static int who_width(const struct live_screen *screen)
{
	return screen->columns >= WIDE ? WHO_WIDTH : WHO_WIDTH_LEAST;
}

struct page {
	FILE *out;
	const struct live_screen *screen;
	unsigned lines; /* so far */
};

/* The bytes of a text that fill no more than so many columns. */
static size_t fitting(const char *text, unsigned columns)
{
	size_t len = 0, all = strlen(text);

	while (len < all && columns-- > 0) {
		size_t step = printable_utf8_length(
			(const unsigned char *)text + len, all - len);

		len += step ? step : 1;
	}
	return len;
}

__attribute__((format(printf, 3, 4))) static void put_line(
	struct page *page, const char *style, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	bool styled = page->screen->colours && *style;
	va_list args;

	if (page->lines == page->screen->rows)
		return;
	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	(void)fprintf(page->out, "%s%.*s%s\n", styled ? style : "",
		(int)fitting(line, page->screen->columns), line, styled ? PLAIN : "");
	page->lines++;
}

/* A column of a fixed width, whatever it holds. */
static void pad(char *out, size_t cap, const char *text, unsigned width)
{
	size_t len = fitting(text, width), columns = 0;

	for (size_t i = 0; i < len; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	(void)snprintf(out, cap, "%.*s%*s", (int)len, text, (int)(width - columns), "");
}

static void who_text(const struct live_screen *screen, const struct round_row *row,
	char *out, size_t cap)
{
	char address[ADDRESS_TEXT], name[OBS_NAME];

	printable_copy(name, sizeof(name), row->name);
	pad(out, cap,
		name[0] && !screen->numeric ? name : address_text(&row->address, address),
		(unsigned)who_width(screen));
}

static void put_times(struct page *page, const struct round_table *table,
	const struct round_row *row, const char *style, const char *who)
{
	char verdict[ROUND_TABLE_VERDICT];

	put_line(page, style, "%3" PRId64 "  %s %9.3f %9.3f %9.3f %9.3f %8.3f  %-14s %s",
		row->ttl, who, (double)row->last_us / 1000, (double)row->least_us / 1000,
		(double)row->sum_us / (double)row->rounds / 1000,
		(double)row->most_us / 1000, round_table_spread_ms(row),
		round_table_verdict_text(table, row, verdict), row->place.country);
}

static const char *bar_of(const struct round_row *row, int32_t us)
{
	int64_t span = row->most_us - row->least_us;

	if (us < 0)
		return "·";
	return bars[span > 0 ? (size_t)((us - row->least_us) * (int64_t)(BARS - 1) / span)
			     : 0];
}

static void put_history(struct page *page, const struct round_table *table,
	const struct round_row *row, const char *style, const char *who)
{
	unsigned before = (unsigned)who_width(page->screen) + 25;
	unsigned room =
		page->screen->columns > before ? page->screen->columns - before : 0;
	char line[ROUND_TABLE_HISTORY * 4] = "";
	size_t len = 0;

	if (room > ROUND_TABLE_HISTORY - 1)
		room = ROUND_TABLE_HISTORY - 1;
	if (room > table->rounds)
		room = (unsigned)table->rounds;
	for (unsigned ago = room; ago-- > 0;)
		len += (size_t)snprintf(line + len, sizeof(line) - len, "%s",
			bar_of(row, round_table_past_us(table, row, ago)));
	put_line(page, style, "%3" PRId64 "  %s %8.1f-%-8.1f %s", row->ttl, who,
		(double)row->least_us / 1000, (double)row->most_us / 1000, line);
}

static const char *source_text(const struct place *place)
{
	switch (place->source) {
	case PLACE_SOURCE_RDNS:
		return " (by its name)";
	case PLACE_SOURCE_MMDB:
		return " (by a database)";
	case PLACE_SOURCE_ANYCAST:
		return "many places (anycast)";
	case PLACE_SOURCE_NONE:
		break;
	}
	return "";
}

static void put_place(struct page *page, const struct round_row *row, const char *style,
	const char *who)
{
	const struct place *place = &row->place;
	char org[PLACE_NAME], city[PLACE_NAME], asn[16] = "";

	printable_copy(org, sizeof(org), place->org);
	printable_copy(city, sizeof(city), place->city);
	if (place->asn)
		(void)snprintf(asn, sizeof(asn), "AS%" PRIu32, place->asn);
	put_line(page, style, "%3" PRId64 "  %s %-9s %-24.24s %s %s%s%s", row->ttl, who,
		asn, org, place->country, city, source_text(place),
		place->verdict == PLACE_IMPOSSIBLE ? ": too soon for there" : "");
}

static void put_row(
	struct page *page, const struct round_table *table, const struct round_row *row)
{
	enum round_verdict verdict = round_table_judge(table, row);
	const char *style = verdict == ROUND_LOSS ? RED : "";
	char who[WHO_WIDTH * 5];

	if (verdict == ROUND_SILENT) {
		put_line(page, DIM, "%3" PRId64 "  *", row->ttl);
		return;
	}
	who_text(page->screen, row, who, sizeof(who));
	if (row->rounds == 0)
		return;
	switch (page->screen->mode) {
	case LIVE_SCREEN_HISTORY:
		put_history(page, table, row, style, who);
		break;
	case LIVE_SCREEN_PLACES:
		put_place(page, row, style, who);
		break;
	case LIVE_SCREEN_TIMES:
	case LIVE_SCREEN_MODES:
		put_times(page, table, row, style, who);
		break;
	}
}

static void put_columns(struct page *page)
{
	switch (page->screen->mode) {
	case LIVE_SCREEN_HISTORY:
		put_line(page, DIM, "HOP  %-*s %17s %s", who_width(page->screen),
			"ROUTER", "LEAST-MOST ms", "THE LAST ROUNDS");
		break;
	case LIVE_SCREEN_PLACES:
		put_line(page, DIM, "HOP  %-*s %-34s %s", who_width(page->screen),
			"ROUTER", "NETWORK", "PLACE");
		break;
	case LIVE_SCREEN_TIMES:
	case LIVE_SCREEN_MODES:
		put_line(page, DIM, "HOP  %-*s %9s %9s %9s %9s %8s",
			who_width(page->screen), "ROUTER", "LAST ms", "LEAST", "MEAN",
			"MOST", "SPREAD");
		break;
	}
}

/* The host's last row that answered says how it is. */
static void put_summary(struct page *page, unsigned i)
{
	const struct live_screen *screen = page->screen;
	const struct live_screen_host *host = &screen->hosts[i];
	const struct round_table *table = host->table;
	const struct round_row *last = table && table->count && table->reached
					       ? &table->rows[table->count - 1]
					       : NULL;
	bool marked = screen->host_count > 1 && i == screen->selected;
	char verdict[ROUND_TABLE_VERDICT];

	if (host->state[0] || !table || !table->rounds)
		put_line(page, BOLD, "%s%s  %s", marked ? "> " : "", host->host,
			host->state[0] ? host->state : "…");
	else if (last && last->answered)
		put_line(page, BOLD,
			"%s%s  %" PRId64 " rounds, %" PRId64 " hops, %.3f ms  %s",
			marked ? "> " : "", host->host, table->rounds, table->last_ttl,
			(double)last->last_us / 1000,
			round_table_verdict_text(table, last, verdict));
	else
		put_line(page, BOLD, "%s%s  %" PRId64 " rounds, not reached",
			marked ? "> " : "", host->host, table->rounds);
}

static unsigned rows_of(const struct live_screen_host *host)
{
	return host->table ? host->table->count : 0;
}

/* Title, a summary and a head of columns for each host, and all rows. */
static bool all_fit(const struct live_screen *screen)
{
	unsigned lines = 1;

	for (unsigned i = 0; i < screen->host_count; i++)
		lines += 2 + rows_of(&screen->hosts[i]);
	return lines <= screen->rows;
}

static void put_host(struct page *page, unsigned i, unsigned rows_at_most)
{
	const struct round_table *table = page->screen->hosts[i].table;
	unsigned count = rows_of(&page->screen->hosts[i]);

	put_summary(page, i);
	if (!count || !rows_at_most)
		return;
	put_columns(page);
	if (count < rows_at_most)
		rows_at_most = count;
	for (unsigned row = 0; row < rows_at_most; row++) {
		/* Where the end is cut off, the destination is still shown. */
		bool end = row + 1 == rows_at_most && count > rows_at_most;

		put_row(page, table, &table->rows[end ? count - 1 : row]);
	}
}

static void put_help(struct page *page)
{
	put_line(page, "", "  q        end            p, space  pause, go on");
	put_line(page, "", "  d        times, history, places");
	put_line(page, "", "  n        names, addresses");
	put_line(page, "", "  r        begin anew     up, down  another host");
	put_line(page, "", "  h        this");
}

void live_screen_print(FILE *out, const struct live_screen *screen)
{
	struct page page = {.out = out, .screen = screen};
	unsigned others = 1 + screen->host_count + 1, room;
	bool whole = all_fit(screen);

	room = screen->rows > others ? screen->rows - others : 0;
	put_line(&page, BOLD, "astray-probe trace%s   q end, p pause, d display, h help",
		screen->paused ? "   PAUSED" : "");
	if (screen->help)
		put_help(&page);
	for (unsigned i = 0; i < screen->host_count; i++)
		put_host(&page, i,
			whole                   ? ROUND_TABLE_ROWS
			: i == screen->selected ? room
						: 0);
}

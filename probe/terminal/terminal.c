#include "terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <uv.h>

#define ROWS_USUAL 24
#define COLUMNS_USUAL 80
/* The other screen, without cursor and without wrapping long lines. */
#define ENTER "\033[?1049h\033[?25l\033[?7l"
#define LEAVE "\033[?7h\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_REST "\033[J"

enum { RESIZED, STOPPED, CONTINUED, SIGNALS };

struct terminal {
	void (*pressed)(void *arg, int key);
	void *arg;
	uv_poll_t keys;
	bool typing; /* there is a keyboard */
	struct termios before;
	uv_signal_t signals[SIGNALS];
	unsigned open_handles;
};

bool terminal_can_draw(void)
{
	const char *kind = getenv("TERM");

	return isatty(STDOUT_FILENO) && kind && strcmp(kind, "dumb") != 0;
}

static void say(const char *text)
{
	(void)fputs(text, stdout);
	(void)fflush(stdout);
}

/* Keys come at once and unseen; Ctrl-C and Ctrl-Z stay signals. */
static void enter(struct terminal *terminal)
{
	struct termios now = terminal->before;

	now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	now.c_cc[VMIN] = 1;
	now.c_cc[VTIME] = 0;
	if (terminal->typing)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &now);
	say(ENTER);
}

static void leave(struct terminal *terminal)
{
	if (terminal->typing)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &terminal->before);
	say(LEAVE);
}

static void signal_came(uv_signal_t *handle, int number)
{
	struct terminal *terminal = handle->data;

	if (number == SIGTSTP) {
		leave(terminal);
		(void)raise(SIGSTOP);
		return;
	}
	if (number == SIGCONT)
		enter(terminal);
	terminal->pressed(terminal->arg, TERMINAL_REDRAW);
}

/* What a read brought: characters, and the arrows, which are three of them. */
static void take_keys(struct terminal *terminal, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (len - i >= 3 && bytes[i] == '\033' &&
			(bytes[i + 1] == '[' || bytes[i + 1] == 'O')) {
			if (bytes[i + 2] == 'A' || bytes[i + 2] == 'B')
				terminal->pressed(terminal->arg, bytes[i + 2] == 'A'
									 ? TERMINAL_UP
									 : TERMINAL_DOWN);
			i += 2;
		} else {
			terminal->pressed(terminal->arg, (unsigned char)bytes[i]);
		}
	}
}

static void typed(uv_poll_t *poll, int status, int events)
{
	struct terminal *terminal = poll->data;
	char bytes[64];
	ssize_t len = read(STDIN_FILENO, bytes, sizeof(bytes));

	(void)status;
	(void)events;
	if (len > 0)
		take_keys(terminal, bytes, (size_t)len);
	else if (len == 0 || (errno != EAGAIN && errno != EINTR))
		(void)uv_poll_stop(poll); /* the terminal is gone, as a signal tells */
}

static int watch(struct terminal *terminal, struct uv_loop_s *loop)
{
	static const int numbers[SIGNALS] = {SIGWINCH, SIGTSTP, SIGCONT};
	int rc = 0;

	for (unsigned i = 0; i < SIGNALS; i++) {
		(void)uv_signal_init(loop, &terminal->signals[i]);
		terminal->signals[i].data = terminal;
		terminal->open_handles++;
		if (rc == 0)
			rc = uv_signal_start(
				&terminal->signals[i], signal_came, numbers[i]);
	}
	if (rc || !terminal->typing)
		return rc;
	rc = uv_poll_init(loop, &terminal->keys, STDIN_FILENO);
	if (rc) {
		terminal->typing = false;
		return rc;
	}
	terminal->keys.data = terminal;
	terminal->open_handles++;
	return uv_poll_start(&terminal->keys, UV_READABLE, typed);
}

int terminal_open(struct terminal **out, struct uv_loop_s *loop,
	void (*pressed)(void *arg, int key), void *arg)
{
	struct terminal *terminal = calloc(1, sizeof(*terminal));
	int rc;

	*out = NULL;
	if (!terminal)
		return -ENOMEM;
	terminal->pressed = pressed;
	terminal->arg = arg;
	terminal->typing =
		isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &terminal->before);
	rc = watch(terminal, loop);
	enter(terminal);
	if (rc) {
		terminal_close(terminal);
		return rc;
	}
	*out = terminal;
	return 0;
}

static void handle_closed(uv_handle_t *handle)
{
	struct terminal *terminal = handle->data;

	if (--terminal->open_handles == 0)
		free(terminal);
}

void terminal_close(struct terminal *terminal)
{
	if (!terminal)
		return;
	leave(terminal);
	if (terminal->typing)
		uv_close((uv_handle_t *)&terminal->keys, handle_closed);
	for (unsigned i = 0; i < SIGNALS; i++)
		uv_close((uv_handle_t *)&terminal->signals[i], handle_closed);
}

void terminal_size(unsigned *columns, unsigned *rows)
{
	struct winsize size = {0};

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	*columns = size.ws_col ? size.ws_col : COLUMNS_USUAL;
	*rows = size.ws_row ? size.ws_row : ROWS_USUAL;
}

void terminal_show(const char *text)
{
	(void)fputs(HOME, stdout);
	while (*text) {
		size_t len = strcspn(text, "\n");

		(void)fwrite(text, 1, len, stdout);
		(void)fputs(CLEAR_LINE, stdout);
		text += len;
		if (*text)
			text++;
		if (*text)
			(void)fputc('\n', stdout);
	}
	(void)fputs(CLEAR_REST, stdout);
	(void)fflush(stdout);
}

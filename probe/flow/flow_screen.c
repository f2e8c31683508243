#include "flow_screen.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <uv.h>

/* The second screen of a terminal, without cursor and without wrapping long lines. */
#define ENTER "\x1b[?1049h\x1b[?25l\x1b[?7l"
#define LEAVE "\x1b[?7h\x1b[?25h\x1b[?1049l"
#define HOME "\x1b[H"
#define CLEAR_LINE "\x1b[K"
#define CLEAR_REST "\x1b[J"
#define COLUMNS 80
#define ROWS 24

struct flow_screen {
	bool has_keys;
	struct termios before;
	uv_poll_t keyboard;
	uv_signal_t stopping, resized;
	void (*key)(void *arg, char key);
	void *arg;
	unsigned closing;
};

bool flow_screen_is_possible(void)
{
	const char *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
}

void flow_screen_size(unsigned *columns, unsigned *rows)
{
	struct winsize size = {0};

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	*columns = size.ws_col ? size.ws_col : COLUMNS;
	*rows = size.ws_row ? size.ws_row : ROWS;
}

static void enter(struct flow_screen *screen)
{
	struct termios raw = screen->before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (screen->has_keys)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	(void)fputs(ENTER, stdout);
	(void)fflush(stdout);
}

static void leave(struct flow_screen *screen)
{
	(void)fputs(LEAVE, stdout);
	(void)fflush(stdout);
	if (screen->has_keys)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &screen->before);
}

static void key_pressed(uv_poll_t *poll, int status, int events)
{
	struct flow_screen *screen = poll->data;
	char keys[16];
	ssize_t len = read(STDIN_FILENO, keys, sizeof(keys));

	(void)events;
	if (status < 0 || len <= 0)
		(void)uv_poll_stop(poll);
	for (ssize_t i = 0; i < len; i++)
		screen->key(screen->arg, keys[i]);
}

static void stop_wanted(uv_signal_t *handle, int number)
{
	struct flow_screen *screen = handle->data;

	(void)number;
	leave(screen);
	(void)raise(SIGSTOP);
	enter(screen);
	screen->key(screen->arg, 0);
}

static void size_changed(uv_signal_t *handle, int number)
{
	struct flow_screen *screen = handle->data;

	(void)number;
	screen->key(screen->arg, 0);
}

static void handle_closed(uv_handle_t *handle)
{
	struct flow_screen *screen = handle->data;

	if (--screen->closing == 0)
		free(screen);
}

int flow_screen_open(struct flow_screen **out, struct uv_loop_s *loop,
	void (*key)(void *arg, char key), void *arg)
{
	struct flow_screen *screen = calloc(1, sizeof(*screen));

	*out = NULL;
	if (!screen)
		return -ENOMEM;
	screen->key = key;
	screen->arg = arg;
	screen->keyboard.data = screen->stopping.data = screen->resized.data = screen;
	screen->has_keys = tcgetattr(STDIN_FILENO, &screen->before) == 0 &&
			   uv_poll_init(loop, &screen->keyboard, STDIN_FILENO) == 0;
	if (screen->has_keys)
		(void)uv_poll_start(&screen->keyboard, UV_READABLE, key_pressed);
	(void)uv_signal_init(loop, &screen->stopping);
	(void)uv_signal_start(&screen->stopping, stop_wanted, SIGTSTP);
	(void)uv_signal_init(loop, &screen->resized);
	(void)uv_signal_start(&screen->resized, size_changed, SIGWINCH);
	enter(screen);
	*out = screen;
	return 0;
}

void flow_screen_close(struct flow_screen *screen)
{
	if (!screen)
		return;
	leave(screen);
	screen->closing = screen->has_keys ? 3 : 2;
	if (screen->has_keys)
		uv_close((uv_handle_t *)&screen->keyboard, handle_closed);
	uv_close((uv_handle_t *)&screen->stopping, handle_closed);
	uv_close((uv_handle_t *)&screen->resized, handle_closed);
}

void flow_screen_show(const char *text)
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
			(void)fputs("\r\n", stdout);
	}
	(void)fputs(CLEAR_REST, stdout);
	(void)fflush(stdout);
}

#include "live_view.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <uv.h>

#define ROWS_USUAL 24
#define COLUMNS_USUAL 80
#define ENTER "\033[?1049h\033[?25l" /* the other screen, no cursor */
#define LEAVE "\033[?25h\033[?1049l"

enum { RESIZED, STOPPED, CONTINUED, SIGNALS };

struct live_view {
	void (*pressed)(void *arg, int key);
	void *arg;
	uv_poll_t keys;
	bool typing; /* there is a keyboard */
	struct termios before;
	uv_signal_t signals[SIGNALS];
	unsigned open_handles;
};

static void say(const char *text)
{
	(void)fputs(text, stdout);
	(void)fflush(stdout);
}

/* Keys come at once and unseen; Ctrl-C and Ctrl-Z stay signals. */
static void enter(struct live_view *view)
{
	struct termios now = view->before;

	now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	now.c_cc[VMIN] = 1;
	now.c_cc[VTIME] = 0;
	if (view->typing)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &now);
	say(ENTER);
}

static void leave(struct live_view *view)
{
	say(LEAVE);
	if (view->typing)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &view->before);
}

static void signal_came(uv_signal_t *handle, int number)
{
	struct live_view *view = handle->data;

	if (number == SIGTSTP) {
		leave(view);
		(void)raise(SIGSTOP);
		return;
	}
	if (number == SIGCONT)
		enter(view);
	view->pressed(view->arg, LIVE_VIEW_REDRAW);
}

/* What a read brought: characters, and the arrows, which are three of them. */
static void take_keys(struct live_view *view, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (len - i >= 3 && bytes[i] == '\033' &&
			(bytes[i + 1] == '[' || bytes[i + 1] == 'O')) {
			if (bytes[i + 2] == 'A' || bytes[i + 2] == 'B')
				view->pressed(view->arg, bytes[i + 2] == 'A'
								 ? LIVE_VIEW_UP
								 : LIVE_VIEW_DOWN);
			i += 2;
		} else {
			view->pressed(view->arg, (unsigned char)bytes[i]);
		}
	}
}

static void typed(uv_poll_t *poll, int status, int events)
{
	struct live_view *view = poll->data;
	char bytes[64];
	ssize_t len = read(STDIN_FILENO, bytes, sizeof(bytes));

	(void)status;
	(void)events;
	if (len > 0)
		take_keys(view, bytes, (size_t)len);
	else if (len == 0 || (errno != EAGAIN && errno != EINTR))
		(void)uv_poll_stop(poll); /* the terminal is gone, as a signal tells */
}

static int watch(struct live_view *view, struct uv_loop_s *loop)
{
	static const int numbers[SIGNALS] = {SIGWINCH, SIGTSTP, SIGCONT};
	int rc = 0;

	for (unsigned i = 0; i < SIGNALS; i++) {
		(void)uv_signal_init(loop, &view->signals[i]);
		view->signals[i].data = view;
		view->open_handles++;
		if (rc == 0)
			rc = uv_signal_start(&view->signals[i], signal_came, numbers[i]);
	}
	if (rc || !view->typing)
		return rc;
	rc = uv_poll_init(loop, &view->keys, STDIN_FILENO);
	if (rc) {
		view->typing = false;
		return rc;
	}
	view->keys.data = view;
	view->open_handles++;
	return uv_poll_start(&view->keys, UV_READABLE, typed);
}

int live_view_open(struct live_view **out, struct uv_loop_s *loop,
	void (*pressed)(void *arg, int key), void *arg)
{
	struct live_view *view = calloc(1, sizeof(*view));
	int rc;

	*out = NULL;
	if (!view)
		return -ENOMEM;
	view->pressed = pressed;
	view->arg = arg;
	view->typing = isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &view->before);
	rc = watch(view, loop);
	enter(view);
	if (rc) {
		live_view_close(view);
		return rc;
	}
	*out = view;
	return 0;
}

static void handle_closed(uv_handle_t *handle)
{
	struct live_view *view = handle->data;

	if (--view->open_handles == 0)
		free(view);
}

void live_view_close(struct live_view *view)
{
	if (!view)
		return;
	leave(view);
	if (view->typing)
		uv_close((uv_handle_t *)&view->keys, handle_closed);
	for (unsigned i = 0; i < SIGNALS; i++)
		uv_close((uv_handle_t *)&view->signals[i], handle_closed);
}

void live_view_show(struct live_view *view, const struct live_screen *screen)
{
	struct live_screen fitted = *screen;
	struct winsize size;

	(void)view;
	fitted.rows = ROWS_USUAL;
	fitted.columns = COLUMNS_USUAL;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col) {
		fitted.rows = size.ws_row;
		fitted.columns = size.ws_col;
	}
	say("\033[H");
	live_screen_print(stdout, &fitted);
	(void)fflush(stdout);
}

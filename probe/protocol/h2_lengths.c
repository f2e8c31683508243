#include "h2_lengths.h"

#define FRAME H2_LENGTHS_FRAME
#define WINDOW_UPDATE H2_LENGTHS_WINDOW_UPDATE
#define SETTING 6
#define SETTINGS_MAX 10
#define PREFACE_SETTINGS_MAX 6 /* more would look like a request behind them */
#define PREFACE 24
/* More window updates than this do not share a record. */
#define TOGETHER_MAX 2

bool h2_lengths_is_acknowledgement(int content)
{
	return content == FRAME || content == FRAME + WINDOW_UPDATE ||
	       content == FRAME + 2 * WINDOW_UPDATE;
}

/* Settings, alone or with a window update, and on a server with its acknowledgement. */
static bool is_settings(int content, int settings_max)
{
	for (int extra = 0; extra <= WINDOW_UPDATE; extra += WINDOW_UPDATE) {
		int rest = content - FRAME - extra;

		if (rest >= 0 && rest <= settings_max * SETTING && rest % SETTING == 0)
			return true;
	}
	return false;
}

bool h2_lengths_is_preface(int content)
{
	return is_settings(content - PREFACE, PREFACE_SETTINGS_MAX);
}

bool h2_lengths_is_settings(int content, int windows_max)
{
	for (int windows = 0; windows <= windows_max; windows++)
		if (is_settings(content - windows * WINDOW_UPDATE, SETTINGS_MAX) ||
			is_settings(
				content - FRAME - windows * WINDOW_UPDATE, SETTINGS_MAX))
			return true;
	return false;
}

bool h2_lengths_is_windows(int content, int windows_max)
{
	return content > 0 && content % WINDOW_UPDATE == 0 &&
	       content / WINDOW_UPDATE <= windows_max;
}

bool h2_lengths_is_control(int content)
{
	return content == FRAME || content == H2_LENGTHS_PRIORITY ||
	       content == H2_LENGTHS_PING || content == H2_LENGTHS_PING + WINDOW_UPDATE ||
	       (content % WINDOW_UPDATE == 0 && content <= TOGETHER_MAX * WINDOW_UPDATE);
}

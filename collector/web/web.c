#include "web.h"

#include <string.h>

const struct web_file *web_find(const char *path)
{
	if (strcmp(path, "/") == 0)
		path = "/index.html";
	for (const struct web_file *file = web_table; file->path; file++)
		if (strcmp(file->path, path) == 0)
			return file;
	return NULL;
}

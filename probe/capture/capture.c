#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "astray/squeeze_stream.h"
#include "astray/status.h"
#include "link_layer.h"
#include "pcapng_file.h"

/* A file is read in pieces as large as this: of its own accord stdio would call the
 * kernel for every few packets. */
#define PIECE_BYTES (256 << 10)

#define PCAPNG_FIRST 0x0a /* no pcap file begins so */

struct capture {
	pcap_t *pcap;
	struct pcapng_file *sections; /* instead, of a pcapng file */
	int fd, stop_fd; /* of a file; and who says that it ends here; negative: none */
	FILE *file;      /* its bytes as they stand on disk */
	char *piece;     /* … its buffer */
	FILE *stream; /* … and what they hold, where that is packed; closed with pcap */
	struct squeeze_stream *expander; /* NULL: it is not */
	int link_type;
	struct pcap_stat latest; /* its counters are 32 bits and wrap */
	uint64_t received, dropped;
};

static struct capture *make_capture(void)
{
	struct capture *capture = calloc(1, sizeof(*capture));

	if (capture)
		capture->fd = capture->stop_fd = -1;
	return capture;
}

void capture_close(struct capture *capture)
{
	if (!capture)
		return;
	if (capture->pcap)
		pcap_close(capture->pcap);
	else if (capture->stream)
		(void)fclose(capture->stream);
	if (capture->file && capture->file != capture->stream)
		(void)fclose(capture->file);
	squeeze_stream_close(capture->expander);
	pcapng_file_close(capture->sections);
	if (capture->fd > STDIN_FILENO)
		(void)close(capture->fd);
	free(capture->piece);
	free(capture);
}

static int know_link_type(struct capture *capture, struct fault *fault)
{
	const char *name;

	if (link_layer_is_known(capture->link_type))
		return 0;
	name = pcap_datalink_val_to_name(capture->link_type);
	return fault_at(fault, STATUS_UNSUPPORTED, "",
		"its packets are of link type %s (%d), which is not read here",
		name ? name : "unknown", capture->link_type);
}

static bool is_stopped(const struct capture *capture)
{
	struct pollfd wait[] = {{capture->fd, POLLIN, 0}, {capture->stop_fd, POLLIN, 0}};

	while (poll(wait, 2, -1) < 0)
		if (errno != EINTR)
			return false;
	return wait[1].revents != 0;
}

/* Who waits for more of a pipe can be stopped, too. */
static ssize_t read_piece(void *cookie, char *into, size_t size)
{
	const struct capture *capture = cookie;

	return is_stopped(capture) ? 0 : read(capture->fd, into, size);
}

static int open_file(struct capture *capture, const char *path)
{
	cookie_io_functions_t functions = {.read = read_piece};

	capture->fd =
		strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (capture->fd < 0)
		return -errno;
	capture->file = capture->stream = fopencookie(capture, "rb", functions);
	if (!capture->file)
		return -ENOMEM;
	capture->piece = malloc(PIECE_BYTES);
	if (capture->piece)
		(void)setvbuf(capture->file, capture->piece, _IOFBF, PIECE_BYTES);
	return 0;
}

static void name_input(struct fault *fault, const char *path)
{
	if (fault)
		(void)snprintf(fault->input, sizeof(fault->input), "%s",
			strcmp(path, "-") == 0 ? "standard input" : path);
}

static int first_byte(FILE *stream)
{
	int first = fgetc(stream);

	if (first != EOF)
		(void)ungetc(first, stream);
	return first;
}

static int open_bytes(struct capture *capture, const char *path)
{
	enum squeeze_coding coding;
	int rc = open_file(capture, path);

	if (rc)
		return rc;
	errno = 0;
	coding = squeeze_stream_coding(first_byte(capture->file));
	if (ferror(capture->file))
		return errno ? -errno : -EIO;
	if (coding == SQUEEZE_IDENTITY)
		return 0;
	rc = squeeze_stream_open(&capture->expander, capture->file, coding);
	if (rc == 0)
		capture->stream = squeeze_stream_file(capture->expander);
	return rc;
}

/* What is wrong with packed bytes says more than what they were read as. */
static int blame_packing(const struct capture *capture, int rc, struct fault *fault)
{
	int failure = capture->expander ? squeeze_stream_failure(capture->expander) : 0;

	if (rc >= 0 || failure == 0)
		return rc;
	return fault_at(fault, failure, "", "%s",
		failure == STATUS_CORRUPT ? "it is compressed, and damaged or cut short"
					  : status_text(failure));
}

/* libpcap takes the stream over, but only when it succeeds. */
static int open_pcap(struct capture *capture, struct fault *fault)
{
	char why[PCAP_ERRBUF_SIZE] = "";

	capture->pcap = pcap_fopen_offline(capture->stream, why);
	if (!capture->pcap)
		return fault_at(fault, STATUS_CORRUPT, "", "%s",
			strstr(why, "unknown file format")
				? "it is no capture file (pcap or pcapng)"
				: why);
	capture->link_type = pcap_datalink(capture->pcap);
	return 0;
}

static int open_dump(struct capture *capture, const char *path, struct fault *fault)
{
	int rc = open_bytes(capture, path);

	if (rc)
		return fault_at(fault, rc, "", "%s", status_text(rc));
	switch (first_byte(capture->stream)) {
	case EOF:
		rc = fault_at(fault, STATUS_CORRUPT, "", "it is empty");
		break;
	case PCAPNG_FIRST:
		rc = pcapng_file_open(
			&capture->sections, capture->stream, &capture->link_type, fault);
		break;
	default:
		rc = open_pcap(capture, fault);
		break;
	}
	return blame_packing(capture, rc, fault);
}

int capture_open_file(
	struct capture **out, const char *path, int stop_fd, struct fault *fault)
{
	struct capture *capture = make_capture();
	int rc;

	*out = NULL;
	if (!capture)
		return -ENOMEM;
	capture->stop_fd = stop_fd;
	name_input(fault, path);
	rc = open_dump(capture, path, fault);
	if (rc == 0)
		rc = know_link_type(capture, fault);
	if (rc)
		goto fail;
	*out = capture;
	return 0;

fail:
	capture_close(capture);
	return rc;
}

static int activation_fault(struct capture *capture, int rc, struct fault *fault)
{
	switch (rc) {
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return fault_at(fault, -EPERM, "",
			"capturing needs the capability CAP_NET_RAW: run as root, grant "
			"it (setcap cap_net_raw+ep), or ask the kernel instead of "
			"capturing (--kernel, \"method\": \"kernel\")");
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return fault_at(fault, -ENODEV, "", "there is no such interface");
	case PCAP_ERROR_IFACE_NOT_UP:
		return fault_at(fault, -ENETDOWN, "", "the interface is not up");
	default:
		return fault_at(
			fault, STATUS_LIBRARY, "", "%s", pcap_geterr(capture->pcap));
	}
}

static int activate(struct capture *capture, const struct capture_options *options,
	struct fault *fault)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	int rc;

	capture->pcap = pcap_create(options->interface, why);
	if (!capture->pcap)
		return fault_at(fault, STATUS_LIBRARY, "", "%s", why);
	(void)pcap_set_snaplen(capture->pcap, options->snaplen);
	(void)pcap_set_buffer_size(capture->pcap, options->buffer_bytes);
	(void)pcap_set_timeout(capture->pcap, CAPTURE_LAG_MS);
	rc = pcap_activate(capture->pcap);
	if (rc < 0)
		return activation_fault(capture, rc, fault);
	if (pcap_setnonblock(capture->pcap, 1, why))
		return fault_at(fault, STATUS_LIBRARY, "", "%s", why);
	return 0;
}

int capture_set_filter(struct capture *capture, const char *filter, struct fault *fault)
{
	struct bpf_program program;
	int rc = 0;

	if (pcap_compile(capture->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN))
		return fault_at(fault, STATUS_LIBRARY, "filter", "%s",
			pcap_geterr(capture->pcap));
	if (pcap_setfilter(capture->pcap, &program))
		rc = fault_at(fault, STATUS_LIBRARY, "filter", "%s",
			pcap_geterr(capture->pcap));
	pcap_freecode(&program);
	return rc;
}

int capture_open_live(
	struct capture **out, const struct capture_options *options, struct fault *fault)
{
	struct capture *capture = make_capture();
	int rc;

	*out = NULL;
	if (!capture)
		return -ENOMEM;
	name_input(fault, options->interface);
	rc = activate(capture, options, fault);
	if (rc == 0)
		capture->link_type = pcap_datalink(capture->pcap);
	if (rc == 0)
		rc = know_link_type(capture, fault);
	if (rc == 0)
		rc = capture_set_filter(capture, options->filter, fault);
	if (rc)
		goto fail;
	*out = capture;
	return 0;

fail:
	capture_close(capture);
	return rc;
}

struct reading {
	const struct capture *capture;
	capture_fn each;
	void *arg;
};

/* Files may hold any numbers; those that no clock shows become a time that the meter
 * refuses. */
static struct moment time_of(const struct pcap_pkthdr *header)
{
	int64_t seconds = header->ts.tv_sec, us = header->ts.tv_usec;

	if (seconds < 0 || seconds > MOMENT_MAX_US / MOMENT_SECOND_US || us < 0 ||
		us >= MOMENT_SECOND_US)
		return (struct moment){-1};
	return (struct moment){seconds * MOMENT_SECOND_US + us};
}

static void packet_came(
	u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
	const struct reading *reading = (const void *)user;
	struct capture_packet packet = {.at = time_of(header),
		.link_type = reading->capture->link_type,
		.captured = header->caplen,
		.wire_len = header->len,
		.bytes = bytes};

	reading->each(reading->arg, &packet);
}

static int read_packets(struct capture *capture, int limit, capture_fn each, void *arg,
	struct fault *fault)
{
	struct pcapng_packet found;
	int count = 0, rc = 1;

	while (count < limit &&
		(rc = pcapng_file_next(capture->sections, &found, fault)) > 0) {
		struct capture_packet packet = {.at = found.at,
			.link_type = found.link_type,
			.captured = found.captured,
			.wire_len = found.wire_len,
			.bytes = found.bytes};

		each(arg, &packet);
		count++;
	}
	return rc < 0 ? rc : count;
}

int capture_read(struct capture *capture, int limit, capture_fn each, void *arg,
	struct fault *fault)
{
	struct reading reading = {.capture = capture, .each = each, .arg = arg};
	int count;

	if (capture->sections)
		count = read_packets(capture, limit, each, arg, fault);
	else
		count = pcap_dispatch(
			capture->pcap, limit, packet_came, (void *)&reading);
	if (count < 0 && capture->pcap)
		count = fault_at(
			fault, STATUS_CORRUPT, "", "%s", pcap_geterr(capture->pcap));
	return blame_packing(capture, count, fault);
}

double capture_share_read(const struct capture *capture)
{
	struct stat st;
	off_t at;

	if (fstat(capture->fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return -1;
	at = lseek(capture->fd, 0, SEEK_CUR);
	return at < 0 ? -1 : (double)at / (double)st.st_size;
}

int capture_fd(const struct capture *capture)
{
	return pcap_get_selectable_fd(capture->pcap);
}

void capture_counts(struct capture *capture, uint64_t *received, uint64_t *dropped)
{
	struct pcap_stat now;

	if (capture->sections) {
		capture->dropped = pcapng_file_drops(capture->sections);
	} else if (pcap_stats(capture->pcap, &now) == 0) {
		capture->received += now.ps_recv - capture->latest.ps_recv;
		capture->dropped += now.ps_drop - capture->latest.ps_drop;
		capture->dropped += now.ps_ifdrop - capture->latest.ps_ifdrop;
		capture->latest = now;
	}
	*received = capture->received;
	*dropped = capture->dropped;
}

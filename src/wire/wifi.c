#include "wire/decode.h"

/* How it works: only data frames that are neither empty nor protected hold anything to read. Their
 * header grows with the fourth address (both DS bits), the QoS field, and the HT field that the
 * order bit announces in QoS frames. Behind it stands LLC. Aggregates (A-MSDU) hold several
 * segments a frame and are left alone. Source: IEEE 802.11-2020 section 9.2.4; radiotap.org. */

enum {
	FC_TYPE = 0x000c,
	FC_TYPE_DATA = 0x0008,
	FC_NO_DATA = 0x0040,
	FC_QOS = 0x0080,
	FC_TO_FROM_DS = 0x0300,
	FC_PROTECTED = 0x4000,
	FC_ORDER = 0x8000,
	QOS_AMSDU = 0x0080,
};

static enum skip_reason decode_data_frame(struct decoder *d, struct packet p, bool is_padded)
{
	uint16_t control, qos = 0;
	size_t header = 24;

	if (!decode_deeper(d))
		return SKIP_TOO_DEEP;
	if (!bytes_le16(&p.b, &control))
		return SKIP_SHORT_LINK;
	if ((control & FC_TYPE) != FC_TYPE_DATA || (control & FC_NO_DATA))
		return SKIP_NOT_IP;
	if (control & FC_PROTECTED)
		return SKIP_ENCRYPTED;
	if ((control & FC_TO_FROM_DS) == FC_TO_FROM_DS)
		header += 6;
	if (!bytes_skip(&p.b, header - 2))
		return SKIP_SHORT_LINK;
	if (control & FC_QOS) {
		header += (control & FC_ORDER) ? 6 : 2;
		if (!bytes_le16(&p.b, &qos) || ((control & FC_ORDER) && !bytes_skip(&p.b, 4)))
			return SKIP_SHORT_LINK;
	}
	if (qos & QOS_AMSDU)
		return SKIP_NOT_IP;
	if (is_padded && !bytes_skip(&p.b, -header & 3))
		return SKIP_SHORT_LINK;
	return decode_llc(d, p);
}

enum skip_reason decode_80211(struct decoder *d, struct packet p)
{
	return decode_data_frame(d, p, false);
}

/* The flags say whether the header is padded to four bytes. They follow the timestamp, which is
 * aligned to eight, if that is there; the presence words may be chained by their last bit. */
enum skip_reason decode_radiotap(struct decoder *d, struct packet p)
{
	enum { HAS_TSFT = 1, HAS_FLAGS = 2, FLAG_DATA_PAD = 0x20 };
	struct bytes header = p.b, whole;
	uint16_t size;
	uint32_t present, more;
	uint8_t flags = 0;

	if (!bytes_skip(&header, 2) || !bytes_le16(&header, &size) || !bytes_take(&p.b, size, &whole))
		return SKIP_SHORT_LINK;
	header = whole;
	if (!bytes_skip(&header, 4) || !bytes_le32(&header, &present))
		return SKIP_SHORT_LINK;
	for (more = present; more & 0x80000000u;)
		if (!bytes_le32(&header, &more))
			return SKIP_SHORT_LINK;
	if (present & HAS_TSFT) {
		size_t at = whole.left - header.left; /* alignment counts from the start of the header */

		if (!bytes_skip(&header, (-at & 7) + 8))
			return SKIP_SHORT_LINK;
	}
	if ((present & HAS_FLAGS) && !bytes_u8(&header, &flags))
		return SKIP_SHORT_LINK;
	return decode_data_frame(d, p, flags & FLAG_DATA_PAD);
}

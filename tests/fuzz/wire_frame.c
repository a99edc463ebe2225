/* One frame. The first byte chooses the link type, the next two the bytes that were on the wire
 * beyond those captured. */

#include "wire/decode.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* As in a file: LINKTYPE_NULL, ETHERNET, PPP, RAW, 802.11, SLL, radiotap, NFLOG, SLL2 … */
	static const int links[] = { 0, 1, 9, 12, 101, 105, 108, 113, 119, 127, 192, 228, 229, 239, 276,
				     6, 7, 10, 109, 122, 123, 129, 138, 163, 197, 202, 219, 226, 242, 258, 274 };
	struct decoder decoder = { 0 };
	struct segment s = { 0 };

	if (size < 3)
		return 0;
	const struct link_type *link = link_find(links[data[0] % (sizeof(links) / sizeof(links[0]))]);
	uint32_t cut = (uint32_t)(data[1] << 8 | data[2]);
	struct bytes frame = { data + 3, size - 3 };

	if (!link)
		return 0;
	if (decode_frame(&decoder, link, frame, (uint32_t)frame.left + cut, &s)) {
		/* Payload is never more than was on the wire. */
		if (s.len > frame.left + cut)
			abort();
	} else {
		uint64_t counted = 0;

		for (unsigned i = 1; i < N_SKIPS; i++)
			counted += decoder.skips[i];
		if (counted != 1)
			abort();
	}
	return 0;
}

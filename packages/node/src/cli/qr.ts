import { encodeQR } from 'qr'

/** A link as a QR code of half-height blocks, for a dark terminal. */
export const qrText = (link: string): string => encodeQR(link, 'ascii', { ecc: 'low', border: 2 }).trimEnd()

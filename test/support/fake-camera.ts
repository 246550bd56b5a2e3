/** A camera for Chromium that sees one QR code, for ever. */
import { writeFile } from 'node:fs/promises'
import encodeQR from 'qr'

const [width, height] = [640, 480]
const [dark, light, noColour] = [16, 235, 128]

/** The brightness of each point of a picture with the code of `text` in its middle, an eighth of the height around it. */
function pictureOf(text: string): Uint8Array {
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: 4 })
  const scale = Math.floor((height * 0.9) / rows.length)
  const [left, top] = [width, height].map((side) => (side - rows.length * scale) >> 1) as [number, number]
  return Uint8Array.from({ length: width * height }, (_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)]
    return rows[Math.floor((y - top) / scale)]?.[Math.floor((x - left) / scale)] === true ? dark : light
  })
}

/** Arguments that give a browser a camera it may use unasked, which sees a test picture. */
export const someCamera = ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream']

/** Arguments for a camera that sees a QR code; its film is written to `file`. */
export async function cameraSeeing(text: string, file: string): Promise<readonly string[]> {
  const head = `YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420jpeg\nFRAME\n`
  const colour = new Uint8Array((width * height) / 2).fill(noColour)
  await writeFile(file, Buffer.concat([Buffer.from(head), pictureOf(text), colour]))
  return [...someCamera, `--use-file-for-fake-video-capture=${file}`]
}

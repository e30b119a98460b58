import { chmod, chown, mkdir, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { FileVolume } from '../types.ts'

/**
 * Writes the files of a workload to `<filesDir>/<workloadId>/<volume>/…` and returns each volume's directory. Files get the mode and
 * owner they ask for whatever the umask is; directories are 0755 beneath a parent only this user can enter. Replaces what was there.
 */
export async function writeFileVolumes(
  filesDir: string,
  workloadId: string,
  volumes: readonly FileVolume[]
): Promise<Map<string, string>> {
  const directories = new Map<string, string>()
  const root = join(filesDir, workloadId)
  await rm(root, { recursive: true, force: true })
  for (const { volume, files, owner } of volumes) {
    const directory = join(root, volume)
    await mkdir(root, { recursive: true, mode: 0o700 })
    await mkdir(directory, { mode: 0o755 })
    await chmod(directory, 0o755) // because of the umask
    for (const { path, content, mode } of files) {
      const target = join(directory, path)
      await mkdir(dirname(target), { recursive: true, mode: 0o755 })
      await writeFile(target, content, { mode: 0o600, flag: 'wx' })
      // only root may give a file away; without it the container's root is this user, who owns the file anyway
      if (owner !== undefined && process.getuid?.() === 0) await chown(target, owner.uid, owner.gid)
      await chmod(target, mode)
    }
    directories.set(volume, directory)
  }
  return directories
}

/** Removes the files of a workload; nothing there is success. */
export async function removeFileVolumes(filesDir: string, workloadId: string): Promise<void> {
  await rm(join(filesDir, workloadId), { recursive: true, force: true })
  await rmdir(filesDir).catch(() => {}) // not empty: another workload has files
}

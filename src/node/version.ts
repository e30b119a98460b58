import { readFileSync } from 'node:fs'
import { packageFile } from '../common/index.ts'

/** Of the software, from package.json. */
export const VERSION: string = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')).version

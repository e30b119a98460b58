import { describeEngine } from '../conformance/engine-suite.ts'
import { createDockerFixture } from './docker-fixture.ts'

describeEngine('docker', createDockerFixture)

import { expect } from 'chai'
import { type MachineFacts, planContainersConf } from '../../src/runtime/podman/machine/containers-conf.ts'

const LIMITS = (nproc: string, nofile: string) =>
  `Limit                     Soft Limit           Hard Limit           Units     \n` +
  `Max processes             ${nproc.padEnd(20)} ${nproc.padEnd(20)} processes \n` +
  `Max open files            1024                 ${nofile.padEnd(20)} files     \n`

const ORDINARY: MachineFacts = {
  uid: 0,
  cgroupV2: true,
  mounts: 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n',
  status: 'CapEff:\t000001ffffffffff\n',
  limits: LIMITS('96365', '1048576'),
  pidMax: 4194304,
  netavark: true,
  machineConf: ''
}
const WITHOUT_SYS_RESOURCE = { status: 'CapEff:\t000001fffeffffff\n' }
const HYBRID = { cgroupV2: false, mounts: 'cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n' }

describe('settings for podman', () => {
  it('writes none where podman can work with what is there', () => {
    expect(planContainersConf(ORDINARY)).to.equal(undefined)
    expect(
      planContainersConf({ ...ORDINARY, cgroupV2: false, mounts: 'cgroup /sys/fs/cgroup/cpu cgroup rw' })
    ).to.equal(undefined)
  })

  it('asks for runc on a hybrid cgroup tree, which crun refuses', () => {
    expect(planContainersConf({ ...ORDINARY, ...HYBRID }))
      .to.contain('[engine]\nruntime = "runc"')
      .and.to.not.contain('ulimits')
  })

  it('asks for less where CAP_SYS_RESOURCE is missing and the hard limits are low', () => {
    const conf = planContainersConf({
      ...ORDINARY,
      ...WITHOUT_SYS_RESOURCE,
      limits: LIMITS('96365', '20000'),
      pidMax: 32768
    })
    expect(conf).to.contain('default_ulimits = ["nofile=20000:20000", "nproc=8192:8192"]')
    expect(conf).to.contain('network_backend = "netavark"').and.to.not.contain('runtime =')
    const generous = { ...ORDINARY, ...WITHOUT_SYS_RESOURCE, limits: LIMITS('unlimited', 'unlimited') }
    expect(planContainersConf(generous)).to.equal(undefined)
    expect(planContainersConf({ ...generous, limits: LIMITS('4096', 'unlimited') })).to.contain(
      '"nofile=1048576:1048576", "nproc=4096:4096"'
    )
  })

  it('leaves limits alone without root, where podman does not raise them', () => {
    expect(
      planContainersConf({ ...ORDINARY, ...WITHOUT_SYS_RESOURCE, uid: 1000, limits: LIMITS('100', '100') })
    ).to.equal(undefined)
  })

  it('does not second-guess what the administrator has set', () => {
    const facts = { ...ORDINARY, ...HYBRID, ...WITHOUT_SYS_RESOURCE, limits: LIMITS('96365', '20000') }
    expect(
      planContainersConf({ ...facts, machineConf: 'runtime = "runc"\ndefault_ulimits = [ "nofile=1:1" ]' })
    ).to.equal(undefined)
    expect(planContainersConf({ ...facts, machineConf: '# runtime = "crun"' })).to.contain('runc')
  })
})

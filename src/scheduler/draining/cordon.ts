import { type Collection, jsonCodec, type Store } from '../../store/index.ts'

const KEY = 'cordoned'

/** Whether this node was told to take nothing new: on disk before anybody hears of it, and there again after a restart. */
export class Cordon {
  readonly #stored: Collection<boolean>
  #isSet = false

  constructor(store: Store) {
    this.#stored = store.collection('cordon', jsonCodec())
  }

  async open(): Promise<void> {
    this.#isSet = (await this.#stored.get(KEY)) ?? false
  }

  get isSet(): boolean {
    return this.#isSet
  }

  async set(isSet: boolean): Promise<void> {
    await this.#stored.put(KEY, isSet)
    this.#isSet = isSet
  }
}

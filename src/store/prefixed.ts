import { NamespaceDatastore } from 'datastore-core'
import { type Datastore, Key, type KeyQuery, type Pair, type Query } from 'interface-datastore'

/**
 * Part of a datastore, as NamespaceDatastore makes it, but a query for a prefix reads what begins with it: that one reads the whole
 * datastore, manifests and all, for each (datastore-core 11, 2026-11).
 */
export class PrefixedDatastore extends NamespaceDatastore {
  readonly #child: Datastore
  readonly #prefix: string

  /** @param prefix without a slash at its end */
  constructor(child: Datastore, prefix: string) {
    super(child, new Key(prefix))
    this.#child = child
    this.#prefix = prefix
  }

  override async *query(query: Query): AsyncGenerator<Pair> {
    const invert = ({ key, value }: Pair): Pair => ({ key: this.#invert(key), value })
    const filters = query.filters?.map((filter) => (pair: Pair) => filter(invert(pair)))
    const orders = query.orders?.map((order) => (a: Pair, b: Pair) => order(invert(a), invert(b)))
    for await (const pair of this.#child.query(this.#below(query, { filters, orders }))) yield invert(pair)
  }

  override async *queryKeys(query: KeyQuery): AsyncGenerator<Key> {
    const filters = query.filters?.map((filter) => (key: Key) => filter(this.#invert(key)))
    const orders = query.orders?.map((order) => (a: Key, b: Key) => order(this.#invert(a), this.#invert(b)))
    for await (const key of this.#child.queryKeys(this.#below(query, { filters, orders })))
      yield this.#invert(key)
  }

  #below<Q extends Query | KeyQuery>(query: Q, changed: { filters: unknown; orders: unknown }): Q {
    const { prefix = '/', filters, orders, ...rest } = query
    const given = Object.entries(changed).filter(([, value]) => value !== undefined)
    return { ...rest, ...Object.fromEntries(given), prefix: this.#prefix + prefix } as unknown as Q
  }

  #invert(key: Key): Key {
    return new Key(key.toString().slice(this.#prefix.length), false)
  }
}

/** Does something at once when asked, and then at most once in a time however often it is asked. */
export class AtMost {
  readonly #act: () => void
  readonly #everyMs: number
  #pause: NodeJS.Timeout | undefined
  #again = false

  constructor(everyMs: number, act: () => void) {
    this.#everyMs = everyMs
    this.#act = act
  }

  ask(): void {
    this.#again = this.#pause !== undefined
    if (this.#again) return
    this.#act()
    this.#pause = setTimeout(() => {
      this.#pause = undefined
      if (this.#again) this.ask()
    }, this.#everyMs)
  }

  stop(): void {
    clearTimeout(this.#pause)
    this.#pause = undefined
  }
}

"""A bridge that greets its host and then reads nothing for ever."""
import threading

print('{"op":"hello","contract":1,"name":"stuck"}', flush=True)
threading.Event().wait()

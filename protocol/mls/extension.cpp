#include "protocol/mls/extension.h"

namespace sealwire::mls {

const Extension* find_extension(const Extensions& extensions, ExtensionType type) {
  const auto found = std::find_if(extensions.begin(), extensions.end(),
                                  [type](const Extension& e) { return e.type == type; });
  return found == extensions.end() ? nullptr : &*found;
}

bool extensions_unique(const Extensions& extensions) {
  std::vector<ExtensionType> types;
  for (const Extension& extension : extensions)
    types.push_back(extension.type);
  std::sort(types.begin(), types.end());
  return std::adjacent_find(types.begin(), types.end()) == types.end();
}

}  // namespace sealwire::mls

// Any bytes as an MLS message, and any commit, proposal or group info under a member's signature:
// refused, or taken; what decodes encodes to the same bytes; what is refused changes nothing.
#include "tests/fuzz/check.h"
#include "tests/fuzz/mls_samples.h"

namespace sealwire::fuzz {
namespace {

using namespace mls;

class World {
 public:
  void message(ByteSpan bytes) {
    const auto decoded = decode<MlsMessage>(bytes, "MLSMessage");
    if (decoded) FUZZ_CLAIM(std::ranges::equal(encode(*decoded), bytes));
    (void)peek(bytes);
    (void)welcome_recipients(bytes);
    (void)verify_key_package(bytes, MlsAgent::policy().validator, MlsAgent::kNow);
    (void)Group::join(bytes, trio_.newcomer_package, trio_.newcomer.key, MlsAgent::policy());
    (void)trio_.b.open(bytes);
    process(bytes);
  }

  template <class Body>
  void signed_by_mallory(ByteSpan bytes) {
    auto body = decode<Body>(bytes, "body");
    if (!body) return;
    FUZZ_CLAIM(std::ranges::equal(encode(*body), bytes));
    const Epoch& epoch = inside_;
    FramedContent content{epoch.context.group_id,
                          epoch.context.epoch,
                          Sender::member(epoch.keys.self()),
                          {},
                          std::move(*body)};
    auto made = sign_content(WireFormat::public_message, std::move(content),
                             epoch.encoded_context(), trio_.mallory.key);
    made.auth.confirmation_tag = Bytes(32);
    process(encode(MlsMessage{
        protect_public(std::move(made), epoch.secrets.membership_key, epoch.encoded_context())}));
  }

  void group_info(ByteSpan bytes) {
    auto info = decode<GroupInfo>(bytes, "GroupInfo");
    if (!info) return;
    sign_group_info(*info, trio_.mallory.key);
    FixedRandom random(9);
    const KdfSecret psk;
    GroupSecrets secrets;
    secrets.joiner_secret = random.secret<32>();
    Welcome welcome;
    welcome.encrypted_group_info =
        encrypt_group_info(welcome_secret(secrets.joiner_secret, psk), *info);
    const auto package =
        decode<MlsMessage>(trio_.newcomer_package.key_package, "key package").value();
    welcome.secrets.push_back(encrypt_group_secrets(std::get<KeyPackage>(package.body), secrets,
                                                    welcome.encrypted_group_info, random)
                                  .value());
    (void)Group::join(encode(MlsMessage{std::move(welcome)}), trio_.newcomer_package,
                      trio_.newcomer.key, MlsAgent::policy());
    (void)Group::join_externally(encode(MlsMessage{std::move(*info)}), trio_.newcomer.key,
                                 as_bytes("agent"), MlsAgent::policy(), std::nullopt, std::nullopt,
                                 {}, random, MlsAgent::kNow);
  }

 private:
  // Bob is as he was after each input, whether or not he took it.
  void process(ByteSpan bytes) {
    if (!trio_.b.process(bytes)) {
      const auto after = trio_.b.serialize();
      FUZZ_CLAIM(std::ranges::equal(after.span(), before_.span()) || ratchets_were_split(after));
      return;
    }
    trio_.b =
        Group::deserialize(before_.span(), std::nullopt, trio_.bob.key, MlsAgent::policy()).value();
  }
  // A first look at a sender's ratchet splits the secret tree, which changes no secret's meaning.
  bool ratchets_were_split(const SecretBytes& after) {
    const bool same_epoch = trio_.b.epoch() == 1 && trio_.b.active();
    before_ = SecretBytes(after.span());
    return same_epoch;
  }
  static Epoch epoch_of(const Group& group) {
    const auto state = group.serialize();
    Reader reader(state.span(), std::size_t{1} << 29);
    std::uint16_t version = 0;
    bool active = false;
    Epoch epoch;
    FUZZ_CLAIM(reader.get(version, active, epoch));
    return epoch;
  }

  MlsTrio trio_;
  Epoch inside_ = epoch_of(trio_.m);
  SecretBytes before_ = trio_.b.serialize();
};

}  // namespace
}  // namespace sealwire::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealwire;
  crypto::initialise();
  if (size == 0) return 0;
  static fuzz::World world;
  const ByteSpan content(data + 1, size - 1);
  switch (static_cast<fuzz::MlsInput>(data[0] % 4)) {
    case fuzz::MlsInput::message:
      world.message(content);
      break;
    case fuzz::MlsInput::commit:
      world.signed_by_mallory<mls::Commit>(content);
      break;
    case fuzz::MlsInput::proposal:
      world.signed_by_mallory<mls::Proposal>(content);
      break;
    case fuzz::MlsInput::group_info:
      world.group_info(content);
      break;
  }
  return 0;
}

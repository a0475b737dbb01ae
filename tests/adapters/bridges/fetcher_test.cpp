#include "adapters/bridges/host/fetcher.h"

#include <gtest/gtest.h>

#include <future>

namespace sealwire::bridge {
namespace {

Fetched fetch(Egress egress, Fetch wanted) {
  std::promise<Fetched> promise;
  Fetcher fetcher(std::move(egress),
                  [&](Fetched fetched) { promise.set_value(std::move(fetched)); });
  fetcher.fetch(std::move(wanted));
  return promise.get_future().get();
}

TEST(Fetcher, AnOriginHasOneSpelling) {
  EXPECT_EQ(*origin_of("HTTPS://API.example/x?y"), "https://api.example:443");
  EXPECT_EQ(*origin_of("http://[::1]:80/"), "http://[::1]:80");
  for (const char* bad :
       {"file:///etc/passwd", "https://user@api.example/", "gopher://a/", "x", ""})
    EXPECT_FALSE(origin_of(bad)) << bad;
}

TEST(Fetcher, AnOriginThatNobodyAllowedIsNotAsked) {
  for (const char* url :
       {"http://127.0.0.1:1/", "http://[::ffff:127.0.0.1]/", "file:///etc/passwd",
        "https://api.example.evil/", "https://api.example@evil/", "http://api.example/"}) {
    Egress egress;
    egress.origins.insert(*origin_of("https://api.example"));
    const Fetched fetched = fetch(std::move(egress), {"1", "GET", url, {}, {}, 1000});
    EXPECT_EQ(fetched.status, 0U) << url;
    EXPECT_NE(fetched.cause, "") << url;
    EXPECT_EQ(fetched.cause.find("onnect"), std::string::npos) << url << ": it was tried";
  }
}

TEST(Fetcher, ASecretGoesToItsOwnOriginOnly) {
  Egress egress;
  egress.origins = {*origin_of("http://127.0.0.1:1"), *origin_of("http://127.0.0.1:2")};
  egress.secrets.emplace(
      "token", FetchSecret{SecretBytes(as_bytes("canary")), *origin_of("http://127.0.0.1:1")});
  const Fetched fetched =
      fetch(std::move(egress), {"1", "GET", "http://127.0.0.1:2/{secret:token}", {}, {}, 1000});
  EXPECT_EQ(fetched.cause, "no secret of this name belongs to this origin");
}

}  // namespace
}  // namespace sealwire::bridge
